import { useState } from "react";
import { Chain } from "../features/operations/chain.tsx";
import { Events } from "../features/operations/events.tsx";
import { useOperations } from "../features/operations/live.ts";
import { Overview } from "../features/operations/overview.tsx";
import { Queues } from "../features/operations/queues.tsx";
import { Reconciliation } from "../features/operations/reconciliation.tsx";
import { Settlement } from "../features/operations/settlement.tsx";
import { PageTitle, Panel, Tabs } from "../ui/index.ts";

type Part = "queues" | "settlement" | "chain" | "reconciliation" | "events";

export default function OperationsPage() {
  const { figures, isLate } = useOperations();
  const now = isLate ? null : figures;
  const [part, setPart] = useState<Part>("queues");
  return (
    <>
      <PageTitle title="Operations" about="How the installation works just now, and what needs a person." />
      <div className="flex flex-col gap-4">
        <Overview told={figures} isLate={isLate} />
        <Panel flush>
          <Tabs<Part>
            flush
            label="Parts of the installation"
            active={part}
            onChange={setPart}
            tabs={[
              { name: "queues", label: "Queues", panel: <Queues now={now} /> },
              { name: "settlement", label: "Settlement", panel: <Settlement /> },
              { name: "chain", label: "Chain and relay", panel: <Chain now={now} /> },
              { name: "reconciliation", label: "Reconciliation", panel: <Reconciliation /> },
              { name: "events", label: "Events from outside", panel: <Events /> },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}
