import { sentence } from "../../domain/words.ts";
import { Button, Facts, Hex, Notice, Nothing, Status, Table, Time } from "../../ui/index.ts";
import type { Details, History } from "./queries.ts";

const DECISIONS = new Set(["market.approved", "market.rejected"]);

/** What was decided, by whom, when and why, with the id of the row in the sealed record. */
export function Receipt({ details: { market }, history }: { details: Details; history: History }) {
  const decided = history.findLast(({ eventType }) => DECISIONS.has(eventType));
  if (!decided) return <Notice tone="info">No decision of an officer is on record.</Notice>;
  const isApproval = decided.eventType === "market.approved";
  return (
    <div className="flex flex-col gap-3" data-testid="receipt">
      <Notice tone={isApproval ? "good" : "bad"} title={isApproval ? "Approved" : "Rejected"}>
        <p dir="auto">{decided.reason || "No reason was given."}</p>
      </Notice>
      <Facts
        facts={[
          ["Market", `${market.name} (${market.tokenSymbol})`],
          ["Stands now", <Status of={market.status} />],
          ["Decided", <Time at={decided.createdAt} />],
          ["By", decided.actorId ? <Hex value={decided.actorId} /> : <Nothing said="the permission service" />],
          ["Version now", String(market.version)],
          ["Record", <Hex value={decided.id} />],
        ]}
      />
      <Button small className="no-print self-start" onClick={() => window.print()}>
        Print
      </Button>
    </div>
  );
}

export function HistoryTable({ history }: { history: History }) {
  return (
    <Table
      caption="History of this registration"
      dense
      rows={[...history].reverse()}
      rowKey={(event) => event.id}
      columns={[
        { head: "What", primary: true, cell: (event) => sentence(event.eventType) },
        { head: "When", cell: (event) => <Time at={event.createdAt} /> },
        { head: "Who", cell: (event) => (event.actorId ? <Hex value={event.actorId} /> : sentence(event.actorType)) },
        { head: "Why", cell: (event) => event.reason ?? <Nothing said="no reason" /> },
      ]}
    />
  );
}
