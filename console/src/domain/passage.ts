/** Where money stands on its way in or out, for a stepper. */

import { sentence } from "./words.ts";

export interface Step {
  readonly title: string;
  readonly state: "done" | "now" | "next" | "failed";
  readonly note: string;
}

/** How deep its transaction lies in the chain, while that counts. */
export interface Depth {
  readonly confirmations: number;
  readonly needed: number;
}

const STATES = ["done", "now", "next"] as const;

/** Everything before the place is done, the place itself is under way, the rest is to come. */
export function along(titles: readonly string[], place: number, note: string): readonly Step[] {
  return titles.map((title, at) => ({ title, state: STATES[at < place ? 0 : at === place ? 1 : 2], note: at === place ? note : "" }));
}

const IN = ["Signed and announced", "Sent to the vault", "Credited"];
const OUT = ["Asked for and held", "Approved", "Sent to the chain", "Paid out"];

export function counted({ confirmations, needed }: Depth): string {
  return `${confirmations} of ${needed} confirmations`;
}

function inABlock(depth: Depth): string {
  return `It is in a block: ${counted(depth)}.`;
}

export interface PassageIn {
  readonly status: string;
  readonly error: string | null;
  readonly relayed: boolean;
  readonly onChain?: Depth | null | undefined;
}

export function depositSteps({ status, error, relayed, onChain }: PassageIn): readonly Step[] {
  switch (status) {
    case "REQUESTED":
    case "SUBMITTED":
      if (onChain) return along(IN, 2, inABlock(onChain));
      if (status === "SUBMITTED") return along(IN, 2, "The transaction is sent, and waits for its confirmations.");
      return along(IN, 1, relayed ? "The platform is about to bring it." : "Waits for the transactions of your wallet.");
    case "CREDITED":
      return along(IN, IN.length, "");
    default:
      return stopped(IN, 1, status, error ? `${error}. Nothing has left your wallet.` : "Nothing has left your wallet.");
  }
}

export interface PassageOut {
  readonly status: string;
  readonly reason: string | null;
  readonly onChain?: Depth | null | undefined;
}

export function withdrawalSteps({ status, reason, onChain }: PassageOut): readonly Step[] {
  switch (status) {
    case "PENDING_APPROVAL":
      return along(OUT, 1, "Somebody of ours looks at it: it is larger than what the policy lets through by itself.");
    case "APPROVED":
      return along(OUT, 2, "It is about to be sent.");
    case "PROCESSING":
    case "SUBMITTED":
    case "UNKNOWN":
      if (onChain) return along(OUT, 3, inABlock(onChain));
      if (status !== "UNKNOWN") return along(OUT, 3, "The vault's transaction waits for its confirmations.");
      return along(OUT, 3, "The chain has not answered yet. Nothing is given back before it is known that nothing was paid.");
    case "COMPLETED":
      return along(OUT, OUT.length, "");
    default:
      return stopped(OUT, status === "FAILED" ? 2 : 1, status, [reason, "What was held is available again."].filter(Boolean).join(" "));
  }
}

export function stopped(titles: readonly string[], place: number, status: string, note: string): readonly Step[] {
  const end: Step = { title: sentence(status), state: "failed", note };
  return [...titles.slice(0, place).map((title): Step => ({ title, state: "done", note: "" })), end];
}
