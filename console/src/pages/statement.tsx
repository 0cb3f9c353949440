import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { balancesOf, type Balance } from "../api/queries.ts";
import { turnovers, type Turnover } from "../domain/holdings.ts";
import { LINE_COLUMNS } from "../features/portfolio/lines.tsx";
import { statementOf, type Statement as Told } from "../features/portfolio/questions.ts";
import { useSession } from "../state/session.ts";
import { Button, EmptyState, Facts, Loaded, Notice, PageTitle, Panel, Quantity, Table, Time, type Column } from "../ui/index.ts";

/** Made for paper: what is not the statement is left out when it is printed. */
export default function Statement() {
  const { session } = useSession();
  const userId = session?.userId ?? "";
  const balances = useQuery(balancesOf(userId));
  const told = useQuery(statementOf(userId));
  return (
    <div className="mx-auto max-w-5xl">
      <PageTitle
        title="Statement"
        about="Every movement of money on your account in the vault, newest first."
        actions={
          <span className="no-print flex gap-2">
            <Link to="/portfolio" className="inline-flex min-h-9 items-center rounded-md px-3 text-accent hover:bg-raised">
              Portfolio
            </Link>
            <Button tone="primary" onClick={() => window.print()}>
              Print, or save as PDF
            </Button>
          </span>
        }
      />
      <Loaded of={balances}>{(held) => <Loaded of={told}>{(lines) => <Paper account={session?.account ?? ""} userId={userId} held={held} told={lines} />}</Loaded>}</Loaded>
    </div>
  );
}

interface PaperProps {
  readonly account: string;
  readonly userId: string;
  readonly held: readonly Balance[];
  readonly told: Told;
}

function Paper({ account, userId, held, told: { lines, whole } }: PaperProps) {
  const totals = turnovers(lines);
  return (
    <div className="flex flex-col gap-4">
      <Panel>
        <Facts
          facts={[
            ["Account", <code key="a" className="font-mono text-[13px] break-all">{account}</code>],
            ["User", <code key="u" className="font-mono text-[13px] break-all">{userId}</code>],
            ["Drawn up", <Time key="t" at={new Date().toISOString()} />],
            ["From", <Time key="f" at={lines.at(-1)?.createdAt} />],
            ["Lines", String(lines.length)],
          ]}
        />
        {whole ? null : (
          <div className="mt-3">
            <Notice tone="warn">These are the newest {lines.length} lines. The CSV on the portfolio's page has all of them.</Notice>
          </div>
        )}
      </Panel>
      <Panel title="In, out, and what is left" flush>
        <Table caption="Totals" rows={totals} rowKey={(row) => row.symbol} columns={totalColumns(held)} empty={<EmptyState title="No movement yet" />} />
      </Panel>
      <Panel title="Lines" flush>
        <Table caption="Lines of the statement" dense rows={lines} rowKey={(row) => String(row.id)} columns={LINE_COLUMNS} empty={<EmptyState title="No line yet" />} />
      </Panel>
    </div>
  );
}

function totalColumns(held: readonly Balance[]): readonly Column<Turnover>[] {
  const balanceOf = new Map(held.map((balance) => [balance.symbol, balance]));
  const exact = (value: string | undefined, unit?: string) => <Quantity value={value} places={18} {...(unit ? { unit } : {})} />;
  return [
    { head: "Token", primary: true, cell: (row) => <span className="font-medium">{row.symbol}</span> },
    { head: "Opening", right: true, cell: (row) => exact(row.opening) },
    { head: "In", right: true, cell: (row) => exact(row.incoming) },
    { head: "Out", right: true, cell: (row) => exact(row.outgoing) },
    { head: "Closing", right: true, cell: (row) => <strong>{exact(row.closing)}</strong> },
    { head: "of it locked", right: true, cell: (row) => exact(balanceOf.get(row.symbol)?.locked) },
  ];
}
