import type { Pair } from "../../api/queries.ts";
import { isPositive, readAmount } from "../../domain/decimal.ts";
import { readTrail, stopText, takesPrice, takesStop, trailedPrice } from "../../domain/order_terms.ts";
import { protectedPrice, type Draft, type PairRules } from "../../domain/ticket.ts";
import { useBook, useTicker } from "../../live/hooks.ts";

/** The price that decides what is set aside: the typed one, or the edge of the pair's protection. */
export function useWorstPrice(draft: Draft, pair: Pair, rules: PairRules): string | null {
  const book = useBook(pair.symbol);
  const last = useTicker(pair.symbol)?.last;
  const typed = readAmount(takesPrice(draft) ? draft.price : draft.worstPrice);
  if (typed !== null && isPositive(typed)) return typed;
  if (takesPrice(draft)) return null;
  const best = draft.side === "BUY" ? book?.asks[0]?.[0] : book?.bids[0]?.[0];
  const base = takesStop(draft) ? triggerPrice(draft, pair, last) : best;
  return base && isPositive(base) ? protectedPrice(draft.side, base, rules) : null;
}

function triggerPrice(draft: Draft, { tickSize }: Pair, last: string | null | undefined): string | null {
  const stop = stopText(draft, tickSize);
  const trail = readTrail(stop, tickSize);
  if (trail === null) return stop || null;
  return last ? trailedPrice(draft.side, last, trail, tickSize) : null;
}
