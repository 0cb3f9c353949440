import { Link } from "@tanstack/react-router";
import { proposedOf } from "../../domain/proposed_rules.ts";
import { sentence } from "../../domain/words.ts";
import { AuditLink } from "../staff/audit_link.tsx";
import { Person } from "../staff/person.tsx";
import { Button, Facts, Hex, Notice, Nothing, Quantity, Status, Time } from "../../ui/index.ts";
import type { Details, History, Mint } from "./queries.ts";

const DECISIONS = new Set(["market.approved", "market.rejected"]);

/** What was decided, by whom, when and why, with the id of the row in the sealed record. */
export function Receipt({ details: { market, asset }, history }: { details: Details; history: History }) {
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
          ["By", decided.actorId ? <Person userId={decided.actorId} /> : <Nothing said="the permission service" />],
          ["Version now", String(market.version)],
          ["Record", <Hex value={decided.id} />],
        ]}
      />
      {isApproval && proposedOf(asset.regulatoryInfo) ? (
        <Notice tone="info" title="Its issuer proposes rules">
          <p>
            When the token is deployed they can be set as proposed under{" "}
            <Link to="/token-rules" className="text-accent underline underline-offset-2 hover:no-underline">
              token rules
            </Link>
            .
          </p>
        </Notice>
      ) : null}
      <Keep entityId={market.id} />
    </div>
  );
}

/** The same of a mint; the chain's word on it stands there as soon as there is one. */
export function MintReceipt({ mint }: { mint: Mint }) {
  const isRejected = mint.status === "REJECTED";
  return (
    <div className="flex flex-col gap-3" data-testid="receipt">
      <Notice tone={isRejected || mint.status === "FAILED" ? "bad" : "good"} title={isRejected ? "Rejected" : "Approved"}>
        <p dir="auto">{mint.decisionReason || "No reason was given."}</p>
        {mint.error ? <p dir="auto">It failed: {mint.error}</p> : null}
      </Notice>
      <Facts
        facts={[
          ["Mint", <Quantity value={mint.amount} unit={mint.symbol} places={18} />],
          ["Stands now", <Status of={mint.status} />],
          ["Last moved", <Time at={mint.updatedAt} />],
          ["By", mint.decidedBy ? <Person userId={mint.decidedBy} /> : <Nothing said="the policy for small mints" />],
          ["Transaction", <Hex value={mint.txHash} />],
          ["Record", <Hex value={mint.id} />],
        ]}
      />
      <Keep entityId={mint.tokenId} />
    </div>
  );
}

function Keep({ entityId }: { entityId: string }) {
  return (
    <div className="no-print flex flex-wrap items-center gap-3">
      <Button small onClick={() => window.print()}>
        Print
      </Button>
      <AuditLink entityId={entityId} />
    </div>
  );
}

export function HistoryList({ history }: { history: History }) {
  return (
    <ol className="flex flex-col divide-y divide-line" aria-label="History of this registration, newest first">
      {[...history].reverse().map((event) => (
        <li key={event.id} className="flex flex-col gap-0.5 py-2 first:pt-0 last:pb-0">
          <span className="font-medium">{sentence(event.eventType.replace("market.", ""))}</span>
          <span className="flex flex-wrap items-start gap-x-2 text-[13px] text-muted">
            <Time at={event.createdAt} /> {event.actorId ? <Person userId={event.actorId} /> : sentence(event.actorType)}
          </span>
          {event.reason ? <span dir="auto">{event.reason}</span> : null}
        </li>
      ))}
    </ol>
  );
}
