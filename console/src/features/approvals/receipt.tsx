import { sentence } from "../../domain/words.ts";
import { AuditLink } from "../staff/audit_link.tsx";
import { Button, Facts, Hex, Notice, Nothing, Status, Time } from "../../ui/index.ts";
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
      <div className="no-print flex flex-wrap items-center gap-3">
        <Button small onClick={() => window.print()}>
          Print
        </Button>
        <AuditLink entityId={market.id} />
      </div>
    </div>
  );
}

export function HistoryList({ history }: { history: History }) {
  return (
    <ol className="flex flex-col divide-y divide-line" aria-label="History of this registration, newest first">
      {[...history].reverse().map((event) => (
        <li key={event.id} className="flex flex-col gap-0.5 py-2 first:pt-0 last:pb-0">
          <span className="font-medium">{sentence(event.eventType.replace("market.", ""))}</span>
          <span className="text-[13px] text-muted">
            <Time at={event.createdAt} /> · {event.actorId ? <Hex value={event.actorId} /> : sentence(event.actorType)}
          </span>
          {event.reason ? <span dir="auto">{event.reason}</span> : null}
        </li>
      ))}
    </ol>
  );
}
