/** Where an asset stands on its way to a market that trades: from what has happened, for a stepper. */

export interface Happened {
  readonly eventType: string;
  readonly reason: string | null;
  readonly createdAt: string;
}

export interface Stage {
  readonly title: string;
  readonly state: "done" | "now" | "next" | "failed";
  readonly at: string | null;
  readonly note: string;
}

/** States in which something is still to come by itself, or by an officer. */
const MOVING = ["draft", "pending_approval", "approved", "activating"];

export function isMoving(status: string): boolean {
  return MOVING.includes(status);
}

export function stagesOf(status: string, events: readonly Happened[], pairSymbol: string | null): readonly Stage[] {
  const last = (type: string): Happened | undefined => events.findLast(({ eventType }) => eventType === `market.${type}`);
  const [registered, rejected, approved, started, failed, live] = [
    last("registered"),
    last("rejected"),
    last("approved"),
    last("activation_started"),
    last("activation_failed"),
    last("activated"),
  ];
  const stranded = status === "approved" && failed !== undefined;
  return [
    { title: "Registered", state: "done", at: registered?.createdAt ?? null, note: "" },
    approvalOf(status, approved, rejected),
    {
      title: "Token deployed",
      state: live ? "done" : stranded ? "failed" : status === "activating" ? "now" : "next",
      at: live?.createdAt ?? (stranded ? failed.createdAt : (started?.createdAt ?? null)),
      note: stranded ? (failed.reason ?? "The chain did not take it.") : status === "activating" ? "The contract is on its way to the chain, and waits for its confirmations." : "",
    },
    endOf(status, last("paused"), last("archived"), live, pairSymbol),
  ];
}

function approvalOf(status: string, approved: Happened | undefined, rejected: Happened | undefined): Stage {
  if (rejected) return { title: "Rejected by compliance", state: "failed", at: rejected.createdAt, note: rejected.reason ?? "" };
  if (approved) return { title: "Approved by compliance", state: "done", at: approved.createdAt, note: approved.reason ?? "" };
  const now = status === "pending_approval";
  return { title: "Approval by compliance", state: now ? "now" : "next", at: null, note: now ? "An officer reads the facts and documents." : "" };
}

function endOf(
  status: string,
  paused: Happened | undefined,
  archived: Happened | undefined,
  live: Happened | undefined,
  pairSymbol: string | null,
): Stage {
  if (status === "archived") return { title: "Archived", state: "done", at: archived?.createdAt ?? null, note: archived?.reason ?? "" };
  if (status === "paused") return { title: "Paused", state: "now", at: paused?.createdAt ?? null, note: paused?.reason ?? "" };
  if (!live) return { title: "Market opens", state: "next", at: null, note: "" };
  if (!pairSymbol) return { title: "Market opens", state: "now", at: null, note: "The pair is being opened." };
  return { title: "Market is open", state: "done", at: live.createdAt, note: `Traded as ${pairSymbol}.` };
}
