import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api/client.ts";
import { Balances, type Looked } from "../features/portfolio/balances.tsx";
import { Fills, Orders, Settlements } from "../features/portfolio/history.tsx";
import { Lines } from "../features/portfolio/lines.tsx";
import { LockedFor } from "../features/portfolio/locked.tsx";
import { saveFile } from "../features/staff/save_file.ts";
import { useSession } from "../state/session.ts";
import { tellProblem } from "../state/toasts.ts";
import { Button, Dialog, PageTitle, Panel, Tabs } from "../ui/index.ts";

const LINK = "inline-flex min-h-9 items-center rounded-md border border-edge bg-panel px-3.5 py-1.5 font-medium hover:bg-raised";

export default function Portfolio() {
  const { session } = useSession();
  const userId = session?.userId ?? "";
  const [looked, setLooked] = useState<Looked | null>(null);
  const save = (): void => {
    api.download("/api/v1/ledger/export", { query: { format: "csv" } }).then((file) => saveFile(file, "statement.csv"), tellProblem);
  };
  return (
    <>
      <PageTitle
        title="Portfolio"
        about="What is yours in the vault. Every number opens what makes it."
        actions={
          <>
            <Button onClick={save}>Statement as CSV</Button>
            <Link to="/portfolio/statement" className={LINK}>
              Print a statement
            </Link>
          </>
        }
      />
      <Panel flush className="mb-4">
        <Balances userId={userId} onLook={setLooked} />
      </Panel>
      <History userId={userId} />
      <Dialog open={looked !== null} wide title={looked ? titleOf(looked) : ""} onClose={() => setLooked(null)}>
        {looked ? <Behind looked={looked} userId={userId} /> : null}
      </Dialog>
    </>
  );
}

function titleOf({ balance, at }: Looked): string {
  return { total: `Lines of ${balance.symbol}`, locked: `What holds ${balance.symbol}`, settling: "On its way to the chain" }[at];
}

function Behind({ looked: { balance, at }, userId }: { looked: Looked; userId: string }) {
  if (at === "locked") return <LockedFor userId={userId} symbol={balance.symbol} />;
  if (at === "settling") return <Settlements userId={userId} open />;
  return <Lines tokenId={balance.tokenId} />;
}

type TabName = "ledger" | "orders" | "fills" | "settlements";

function History({ userId }: { userId: string }) {
  const [tab, setTab] = useState<TabName>("ledger");
  return (
    <Panel flush>
      <Tabs
        label="History"
        flush
        active={tab}
        onChange={setTab}
        tabs={[
          { name: "ledger", label: "Ledger", panel: <Lines /> },
          { name: "orders", label: "Orders", panel: <Orders userId={userId} /> },
          { name: "fills", label: "Fills", panel: <Fills userId={userId} /> },
          { name: "settlements", label: "Settlements", panel: <Settlements userId={userId} /> },
        ]}
      />
    </Panel>
  );
}
