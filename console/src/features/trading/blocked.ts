/** Why an order cannot be placed just now: the first reason in a fixed order, so that the same state always says the same. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { ask, type Pair } from "../../api/queries.ts";
import { reasonText } from "../../domain/reasons.ts";
import { missing, type Draft, type Wrong } from "../../domain/ticket.ts";
import { useSession } from "../../state/session.ts";
import { sameAccount, useConnection } from "../wallet/wallets.ts";
import { previewBody } from "./wire.ts";

export type Preview = Schemas["PreviewOrderAnswer"];

export interface Blocked {
  readonly why: "signed-out" | "expired" | "closed" | "wallet" | "typing" | "refused" | "funds" | "compliance";
  readonly text: string;
}

const CLOSED: Readonly<Record<string, string>> = {
  paused: "This pair takes no orders now. Orders that rest stay, and cancels work.",
  closed: "This pair has ended. Nothing can be traded here any more.",
};

/** What the platform would say to the order, a moment after the last key. */
export function usePreview(draft: Draft, pair: Pair, wrong: Wrong) {
  const { standing } = useSession();
  const settled = useSettled(draft);
  const complete = missing(settled) === null && Object.keys(wrong).length === 0;
  const body = previewBody(settled, pair);
  return useQuery({
    ...ask({
      queryKey: ["orders", "preview", body],
      queryFn: ({ signal }) => api.post("/api/v1/trading/orders/preview", { body, signal }),
    }),
    enabled: standing === "signed-in" && complete && pair.status === "active",
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  });
}

const SETTLES_MS = 250;

export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface Asked {
  readonly data: Preview | undefined;
  readonly error: unknown;
  readonly isPlaceholderData: boolean;
}

export function useBlocked(draft: Draft, pair: Pair, wrong: Wrong, preview: Asked): Blocked | null {
  const hindered = useHindered(pair);
  if (hindered) return hindered;
  const typing = Object.values(wrong)[0] ?? missing(draft);
  if (typing) return { why: "typing", text: typing };
  return answered(preview, draft, pair);
}

/** What stands in the way whatever is typed: the pair, the session, the wallet. */
export function useHindered(pair: Pick<Pair, "status">): Blocked | null {
  const { standing, session } = useSession();
  const connection = useConnection();
  if (CLOSED[pair.status]) return { why: "closed", text: CLOSED[pair.status] ?? "" };
  if (standing === "signed-out") return { why: "signed-out", text: "Sign in to trade" };
  if (standing === "expired") return { why: "expired", text: "Your session has ended: sign in again, nothing is lost" };
  if (connection && session && !sameAccount(connection.account, session.account)) {
    return { why: "wallet", text: "The wallet is on another account than the one that is signed in" };
  }
  return null;
}

function answered({ data, error, isPlaceholderData }: Asked, draft: Draft, pair: Pair): Blocked | null {
  if (error instanceof ApiProblem && error.status >= 400 && error.status < 500) {
    return { why: "refused", text: error.fields[0]?.detail ?? error.detail };
  }
  if (!data || isPlaceholderData) return null;
  if (data.reason !== 0) return { why: "compliance", text: reasonText(data.reason) };
  if (!data.enoughAvailable) {
    const token = draft.side === "BUY" ? pair.quote.symbol : pair.base.symbol;
    return { why: "funds", text: `Not enough ${token} available` };
  }
  return null;
}
