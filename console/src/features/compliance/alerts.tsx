import { useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { grouped } from "../../domain/show.ts";
import { Person } from "../staff/person.tsx";
import { Badge, EmptyState, Loaded, Panel, Table, Time, type Column } from "../../ui/index.ts";

type Alert = Schemas["AlertAnswer"];

const NAMES: Record<Alert["kind"], string> = {
  SELF_TRADES: "Trades with oneself",
  TAKEN_BACK: "Orders taken back",
  IN_AND_OUT: "In and out again",
};

/** What was counted, in a sentence that stands by itself. */
function happened(alert: Alert): string {
  switch (alert.kind) {
    case "SELF_TRADES":
      return `${alert.count} of ${alert.orders} orders ended because they met the same account's`;
    case "TAKEN_BACK":
      return `${alert.count} of ${alert.orders} orders cancelled before any of it was filled`;
    case "IN_AND_OUT":
      return `${grouped(alert.broughtIn ?? "0")} ${alert.symbol} came in, then ${grouped(alert.takenOut ?? "0")} was handed on`;
  }
}

const COLUMNS: readonly Column<Alert>[] = [
  { head: "Account", primary: true, cell: ({ userId, account }) => <Person userId={userId} account={account} /> },
  { head: "What", cell: ({ kind }) => <Badge tone="warn">{NAMES[kind]}</Badge> },
  { head: "Counted", cell: happened },
  { head: "From", right: true, cell: ({ firstAt }) => <Time at={firstAt} /> },
  { head: "Until", right: true, cell: ({ lastAt }) => <Time at={lastAt} /> },
];

/** What stands out in a day of orders, deposits and withdrawals. It stops nothing: somebody looks, and writes a note. */
export function Alerts() {
  const asked = useQuery({
    queryKey: ["compliance", "alerts"],
    queryFn: ({ signal }) => api.get("/api/v1/compliance/alerts", { signal }),
    refetchInterval: 60_000,
  });
  return (
    <Panel title="Alerts" flush>
      <Loaded of={asked}>
        {({ alerts, since }) => (
          <>
            <Table
              caption="What to look into"
              rows={alerts}
              rowKey={({ kind, userId, symbol }) => `${kind} ${userId} ${symbol ?? ""}`}
              columns={COLUMNS}
              empty={
                <EmptyState title="Nothing stands out">
                  Who keeps meeting their own orders, takes nearly all of them back, or takes money out right after bringing it in stands here.
                </EmptyState>
              }
            />
            <p className="border-t border-line px-4 py-2 text-[13px] text-muted">
              Looked at since <Time at={since} />. A figure proves nothing: look at the orders and statements behind it.
            </p>
          </>
        )}
      </Loaded>
    </Panel>
  );
}
