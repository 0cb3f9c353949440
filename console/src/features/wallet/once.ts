/**
 * Sending what was signed once, whatever happens meanwhile. It is kept in the tab before it is sent: a page that is loaded
 * again in the middle, or a button that is pressed again after an answer was lost, sends the very same, and the platform
 * answers as it did the first time.
 */

import { ApiProblem, isVerdict } from "../../api/problem.ts";
import { sessions } from "../../state/session.ts";

export interface Kept {
  readonly userId: string;
  /** Sent as `Idempotency-Key`. */
  readonly key: string;
}

interface Way<K extends Kept, Answer> {
  /** Its name in the tab's storage. */
  readonly storage: string;
  readonly sent: (kept: K) => Promise<Answer>;
  /** The code by which the platform says that this has counted before, and how what it became is asked for. */
  readonly duplicate: string;
  readonly first: (id: string) => Promise<Answer>;
}

export interface SentOnce<K extends Kept, Answer> {
  /** What was sent, and whose answer never came: for all one knows, it counts. */
  readonly unanswered: () => K | null;
  readonly send: (kept: K, isAgain?: boolean) => Promise<Answer>;
  /** Finish what a page that was left in the middle had begun; `null` where there is nothing of the kind. */
  readonly finish: () => Promise<Answer | null>;
}

export function sentOnce<K extends Kept, Answer>({ storage, sent, duplicate, first }: Way<K, Answer>): SentOnce<K, Answer> {
  const unanswered = (): K | null => {
    const { standing, session } = sessions.get();
    const kept = JSON.parse(sessionStorage.getItem(storage) ?? "null") as K | null;
    return kept && standing === "signed-in" && kept.userId === session?.userId ? kept : null;
  };
  const send = async (kept: K, isAgain = false): Promise<Answer> => {
    sessionStorage.setItem(storage, JSON.stringify(kept));
    try {
      const answer = await sent(kept);
      sessionStorage.removeItem(storage);
      return answer;
    } catch (error) {
      // Whoever got no answer does not know: it stays, and is sent again.
      const refused = error instanceof ApiProblem && error.status > 0 && error.status < 500;
      if (refused && (!isAgain || isVerdict(error))) sessionStorage.removeItem(storage);
      if (refused && error.code === duplicate) return first(String(error.more["firstId"]));
      throw error;
    }
  };
  const finish = async (): Promise<Answer | null> => {
    const kept = unanswered();
    return kept ? send(kept, true) : null;
  };
  return { unanswered, send, finish };
}

/** Another wish than the one whose answer had been lost: that one came first, and nothing else was signed. */
export function cameFirst(what: string, which: string): ApiProblem {
  return new ApiProblem(409, "earlier_order", `Your earlier ${what} came first`, `Its answer had been lost; it is placed: ${which}. Nothing else was signed.`, "");
}
