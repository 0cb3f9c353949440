/** An order before it is one: what was typed, what is wrong with it, and what it would cost at most. Pure. */

import {
  add,
  compare,
  divide,
  isPositive,
  isWholeSteps,
  isZero,
  multiply,
  partsPerTenThousand,
  readAmount,
  smaller,
  subtract,
  toStep,
  type Decimal,
} from "./decimal.ts";

export type OrderSide = "BUY" | "SELL";
export type OrderType = "LIMIT" | "MARKET" | "STOP_LIMIT" | "STOP_MARKET";
export type TimeInForce = "GTC" | "IOC" | "FOK";

/** What of a pair an order must fit. */
export interface PairRules {
  readonly tickSize: Decimal;
  readonly lotSize: Decimal;
  readonly feeBps: number;
  /** `received`: each side pays of what it receives; `quote`: the buyer pays on top, the seller of the proceeds. */
  readonly feeMode: string;
  readonly minQuantity: Decimal;
  readonly maxQuantity: Decimal;
  readonly minNotional: Decimal;
  readonly protectionBps: number;
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
}

/** As it was typed. */
export interface Draft {
  readonly side: OrderSide;
  readonly orderType: OrderType;
  readonly price: string;
  readonly stopPrice: string;
  readonly quantity: string;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
}

export type Wrong = { price?: string; stopPrice?: string; quantity?: string };

export function takesPrice({ orderType }: Draft): boolean {
  return orderType === "LIMIT" || orderType === "STOP_LIMIT";
}

export function takesStop({ orderType }: Draft): boolean {
  return orderType === "STOP_LIMIT" || orderType === "STOP_MARKET";
}

/** What is wrong with what was typed; nothing is said of a field that is still empty. */
export function wrongWith(draft: Draft, rules: PairRules): Wrong {
  const wrong: Wrong = {};
  if (takesPrice(draft) && draft.price) put(wrong, "price", priceProblem(draft.price, rules));
  if (takesStop(draft) && draft.stopPrice) put(wrong, "stopPrice", priceProblem(draft.stopPrice, rules));
  if (draft.quantity) put(wrong, "quantity", quantityProblem(draft, rules));
  return wrong;
}

function put(wrong: Wrong, name: keyof Wrong, problem: string | null): void {
  if (problem !== null) wrong[name] = problem;
}

function priceProblem(typed: string, { tickSize }: PairRules): string | null {
  const price = readAmount(typed);
  if (price === null || isZero(price)) return "A positive amount, such as 1000.50";
  return isWholeSteps(price, tickSize) ? null : `In steps of ${tickSize}`;
}

function quantityProblem(draft: Draft, rules: PairRules): string | null {
  const quantity = readAmount(draft.quantity);
  if (quantity === null || isZero(quantity)) return "A positive amount, such as 2.5";
  if (!isWholeSteps(quantity, rules.lotSize)) return `In steps of ${rules.lotSize}`;
  if (compare(quantity, rules.minQuantity) < 0) return `At least ${rules.minQuantity}`;
  if (compare(quantity, rules.maxQuantity) > 0) return `At most ${rules.maxQuantity}`;
  const price = takesPrice(draft) ? readAmount(draft.price) : null;
  if (price !== null && compare(multiply(price, quantity), rules.minNotional) < 0) {
    return `Worth at least ${rules.minNotional}`;
  }
  return null;
}

/** What is still to be filled in, in words; `null` where nothing is. */
export function missing(draft: Draft): string | null {
  if (takesStop(draft) && !draft.stopPrice) return "Enter the trigger price";
  if (takesPrice(draft) && !draft.price) return "Enter a price";
  return draft.quantity ? null : "Enter a quantity";
}

/** The price beyond which an order without one is not traded: the pair's protection around the best opposite price. */
export function protectedPrice(side: OrderSide, best: Decimal, rules: PairRules): Decimal {
  const parts = BigInt(side === "BUY" ? 10_000 + rules.protectionBps : 10_000 - rules.protectionBps).toString();
  const exact = divide(multiply(best, parts), "10000", 36, side === "BUY" ? "down" : "up");
  return toStep(exact, rules.tickSize, side === "BUY" ? "down" : "up");
}

export interface Receipt {
  readonly worstPrice: Decimal;
  /** Given at most. */
  readonly pay: Decimal;
  /** Received at least, the fee taken off, if all of it is filled. */
  readonly get: Decimal;
  readonly fee: Decimal;
  /** The fee is in the quote token, or else in the base token. */
  readonly feeInQuote: boolean;
  /** Set aside until it is filled or ends. */
  readonly locked: Decimal;
}

/** What an order would mean at its worst, if all of it were filled. */
export function receiptOf(side: OrderSide, quantity: Decimal, worstPrice: Decimal, rules: PairRules): Receipt {
  const notional = multiply(worstPrice, quantity);
  const inQuote = rules.feeMode === "quote" || side === "SELL";
  const fee = inQuote
    ? partsPerTenThousand(notional, rules.feeBps, rules.quoteDecimals)
    : partsPerTenThousand(quantity, rules.feeBps, rules.baseDecimals);
  if (side === "SELL") {
    return { worstPrice, pay: quantity, get: subtract(notional, fee), fee, feeInQuote: true, locked: quantity };
  }
  const pay = inQuote ? add(notional, fee) : notional;
  const get = inQuote ? quantity : subtract(quantity, fee);
  return { worstPrice, pay, get, fee, feeInQuote: inQuote, locked: pay };
}

/** The most that can be bought or sold with what is available, fee included, in whole lots. */
export function mostOf(side: OrderSide, available: Decimal, worstPrice: Decimal, rules: PairRules): Decimal {
  if (side === "SELL") return smaller(toStep(available, rules.lotSize, "down"), rules.maxQuantity);
  if (!isPositive(worstPrice)) return "0";
  const parts = BigInt(rules.feeMode === "quote" ? 10_000 + rules.feeBps : 10_000).toString();
  const exact = divide(multiply(available, "10000"), multiply(worstPrice, parts), 36, "down");
  const lots = toStep(exact, rules.lotSize, "down");
  // The fee is rounded up: what fits without that rounding may be one lot too many.
  const fits = compare(receiptOf("BUY", lots, worstPrice, rules).locked, available) <= 0;
  const most = fits || isZero(lots) ? lots : subtract(lots, rules.lotSize);
  return smaller(most, rules.maxQuantity);
}

/** So many percent of the most, in whole lots. */
export function partOf(most: Decimal, percent: number, lotSize: Decimal): Decimal {
  return toStep(divide(multiply(most, BigInt(percent).toString()), "100", 36, "down"), lotSize, "down");
}
