/** A draft as it is sent: asked about, and signed. */

import { exchangeInfo, type Pair } from "../../api/queries.ts";
import type { QueryClient } from "@tanstack/react-query";
import { readAmount } from "../../domain/decimal.ts";
import { expiryOf, inForce, onlyRests, stopText, takesPrice } from "../../domain/order_terms.ts";
import type { Terms } from "../../domain/order_words.ts";
import type { Draft } from "../../domain/ticket.ts";

function common(draft: Draft, pair: Pair) {
  return {
    tradingPairId: pair.symbol,
    side: draft.side,
    orderType: draft.orderType,
    timeInForce: inForce(draft),
    postOnly: onlyRests(draft),
    price: readAmount(takesPrice(draft) ? draft.price : draft.worstPrice) ?? "",
    stopPrice: stopText(draft, pair.tickSize),
  };
}

/** What the platform is asked before anything is signed. */
export function previewBody(draft: Draft, pair: Pair) {
  return { ...common(draft, pair), quantity: readAmount(draft.quantity) ?? "0" };
}

/** The fields that are signed: just what the ticket shows. */
export function orderFields(draft: Draft, pair: Pair, trader: string, nowS: number, nonce: string) {
  return {
    trader,
    ...common(draft, pair),
    selfTrade: draft.selfTrade,
    quantity: readAmount(draft.quantity) ?? "",
    maxFeeBps: pair.feeBps,
    clientOrderId: draft.reference,
    nonce,
    expiry: expiryOf(draft, nowS),
  };
}

/** How the order will behave, for words about it. */
export function termsOf(draft: Draft, pair: Pair, nowS: number): Terms {
  return { ...common(draft, pair), selfTrade: draft.selfTrade, expiry: expiryOf(draft, nowS) };
}

/** The platform's clock: a reader's own may be wrong by hours. */
export async function serverSeconds(client: QueryClient): Promise<number> {
  const asked = Date.now();
  const info = await client.fetchQuery({ ...exchangeInfo, staleTime: 0 });
  const aheadMs = new Date(info.serverTime).getTime() - asked;
  return Math.floor((Date.now() + aheadMs) / 1000);
}
