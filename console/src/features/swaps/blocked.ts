/** Why nothing can be converted just now: the first reason in a fixed order, so that the same state always says the same. */

import { useQuery } from "@tanstack/react-query";
import { ApiProblem } from "../../api/problem.ts";
import { balancesOf, type Pair } from "../../api/queries.ts";
import { compare } from "../../domain/decimal.ts";
import { reasonText } from "../../domain/reasons.ts";
import { isTooLittle, type Route } from "../../domain/swap.ts";
import { useSession } from "../../state/session.ts";
import { mayReceive, maySend } from "../markets/queries.ts";
import { useHindered, type Blocked } from "../trading/blocked.ts";
import type { Quote } from "./questions.ts";

interface Looked {
  readonly route: Route<Pair>;
  /** What is wrong with what was typed, or still missing. */
  readonly typing: string | null;
  readonly quote: Quote | undefined;
  readonly error: unknown;
}

export function useSwapBlocked({ route, typing, quote, error }: Looked): Blocked | null {
  const hindered = useHindered(route.pair);
  const available = useAvailable(route);
  const reason = useReason(quote);
  if (hindered) return hindered;
  if (typing) return { why: "typing", text: typing };
  if (error) return { why: "refused", text: wordsOf(error) };
  if (!quote) return { why: "refused", text: "Asking the book what it gives" };
  if (isTooLittle(route.side, quote.suggestedMinAmountOut, route.pair.filters.minNotional, quote.feeBps)) {
    return { why: "refused", text: "It would bring too little to be traded" };
  }
  if (reason !== 0) return { why: "compliance", text: reasonText(reason) };
  if (available !== null && compare(available, quote.amountIn) < 0) {
    return { why: "funds", text: `Not enough ${route.side === "BUY" ? route.pair.quote.symbol : route.pair.base.symbol} available` };
  }
  return null;
}

/** What a field of the quote is called on the screen. */
const FIELDS: Readonly<Record<string, string>> = { "/amountIn": "The amount has to be ", "/minAmountOut": "It has to bring " };

function wordsOf(error: unknown): string {
  if (!(error instanceof ApiProblem)) return "No quote can be had";
  const [field] = error.fields;
  return field ? `${FIELDS[field.pointer] ?? ""}${field.detail}` : error.detail;
}

/** What of the token that is given is free; `null` while nobody knows. */
export function useAvailable({ pair, side }: Route<Pair>): string | null {
  const { session } = useSession();
  const held = useQuery({ ...balancesOf(session?.userId ?? ""), enabled: session !== null }).data;
  const symbol = side === "BUY" ? pair.quote.symbol : pair.base.symbol;
  return held ? (held.find((balance) => balance.symbol === symbol)?.available ?? "0") : null;
}

/** What compliance would say to it; 0 for nothing. */
function useReason(quote: Quote | undefined): number {
  const { session, standing } = useSession();
  const userId = session?.userId ?? "";
  const question =
    quote?.side === "SELL"
      ? maySend(quote.tokenInId, userId, quote.amountIn)
      : mayReceive(quote?.tokenOutId ?? "", userId, quote?.suggestedMinAmountOut ?? "1");
  const asked = useQuery({ ...question, enabled: standing === "signed-in" && quote !== undefined });
  return asked.data?.reason ?? 0;
}
