/** What a change of somebody's record does to their open orders, in words for the officer who makes it. Pure. */

import { add, type Decimal } from "./decimal.ts";
import { splitPair } from "./holdings.ts";
import { receiptOf, type OrderSide, type PairRules } from "./ticket.ts";

export interface OpenOrder {
  readonly pair: string;
  readonly side: string;
  readonly remainingQuantity: Decimal;
  readonly worstPrice: Decimal;
}

/** By symbol: what orders have set aside, and what is available again when they end. Those of unknown pairs are left out. */
export function heldBy(orders: readonly OpenOrder[], rules: ReadonlyMap<string, PairRules>): ReadonlyMap<string, Decimal> {
  const held = new Map<string, Decimal>();
  for (const { pair, side, remainingQuantity, worstPrice } of orders) {
    const its = rules.get(pair);
    if (!its) continue;
    const [base, quote] = splitPair(pair);
    const symbol = side === "SELL" ? base : quote;
    held.set(symbol, add(held.get(symbol) ?? "0", receiptOf(side as OrderSide, remainingQuantity, worstPrice, its).locked));
  }
  return held;
}

const REASONS: Readonly<Record<number, string>> = {
  1: "the token is paused",
  2: "the account is frozen",
  10: "there is no approved KYC of the level that the token asks for",
  11: "the KYC has ended",
  12: "they are not on the whitelist",
  13: "the token asks for an accreditation",
  14: "the accreditation has ended",
  30: "the account is on the sanctions list",
  70: "the token is not offered in this country",
};

/** Why somebody may not trade a token, as it is said of them and not to them. */
export function whyNot(reason: number): string {
  return REASONS[reason] ?? "compliance does not allow it";
}
