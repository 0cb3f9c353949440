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
import { inForce, MOST_AHEAD_S, takesPrice, takesStop, trailText, untilSeconds } from "./order_terms.ts";

export type OrderSide = "BUY" | "SELL";
export type OrderType = "LIMIT" | "MARKET" | "STOP_LIMIT" | "STOP_MARKET";
export type TimeInForce = "GTC" | "GTD" | "IOC" | "FOK";
export type SelfTrade = "EXPIRE_TAKER" | "EXPIRE_MAKER" | "EXPIRE_BOTH" | "DECREMENT";
/** How a stop's trigger is given: a price, or what it keeps from the market that it follows. */
export type Trigger = "price" | "amount" | "percent";

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
  /** The price beyond which an order without one is not traded; where it is empty, the pair's protection counts. */
  readonly worstPrice: string;
  readonly trigger: Trigger;
  readonly stopPrice: string;
  readonly distance: string;
  readonly quantity: string;
  readonly timeInForce: TimeInForce;
  /** As the browser's own field has it, in the reader's zone: `2026-12-24T18:00`, with seconds where there are any. */
  readonly until: string;
  readonly postOnly: boolean;
  readonly selfTrade: SelfTrade;
  /** Its owner's own name for it. */
  readonly reference: string;
}

export const EMPTY_DRAFT: Draft = {
  side: "BUY",
  orderType: "LIMIT",
  price: "",
  worstPrice: "",
  trigger: "price",
  stopPrice: "",
  distance: "",
  quantity: "",
  timeInForce: "GTC",
  until: "",
  postOnly: false,
  selfTrade: "EXPIRE_TAKER",
  reference: "",
};

export type Wrong = { -readonly [name in "stopPrice" | "distance" | "price" | "worstPrice" | "quantity" | "until" | "reference"]?: string };

/** What is wrong with what was typed; nothing is said of a field that is still empty. */
export function wrongWith(draft: Draft, rules: PairRules, now: Date): Wrong {
  const wrong: Wrong = {};
  if (takesStop(draft) && draft.trigger === "price" && draft.stopPrice) put(wrong, "stopPrice", priceProblem(draft.stopPrice, rules));
  if (takesStop(draft) && draft.trigger !== "price" && draft.distance) put(wrong, "distance", distanceProblem(draft, rules));
  if (takesPrice(draft) && draft.price) put(wrong, "price", priceProblem(draft.price, rules));
  if (!takesPrice(draft) && draft.worstPrice) put(wrong, "worstPrice", priceProblem(draft.worstPrice, rules));
  if (draft.quantity) put(wrong, "quantity", quantityProblem(draft, rules));
  if (inForce(draft) === "GTD" && draft.until) put(wrong, "until", untilProblem(draft, now));
  if (!REFERENCE.test(draft.reference)) wrong.reference = "At most 64 letters, digits, _ and -";
  return wrong;
}

const REFERENCE = /^[A-Za-z0-9_-]{0,64}$/;

function put(wrong: Wrong, name: keyof Wrong, problem: string | null): void {
  if (problem !== null) wrong[name] = problem;
}

function distanceProblem(draft: Draft, { tickSize }: PairRules): string | null {
  if (trailText(draft, tickSize) !== null) return null;
  return draft.trigger === "percent" ? "Less than 100, in steps of 0.01" : `A positive amount in steps of ${tickSize}`;
}

function untilProblem({ until }: Draft, now: Date): string | null {
  const seconds = untilSeconds(until);
  if (seconds === null) return "A day and a time";
  const ahead = seconds - Math.floor(now.getTime() / 1000);
  if (ahead <= 0) return "This moment has passed";
  return ahead > MOST_AHEAD_S ? "At most 90 days ahead" : null;
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
  if (takesStop(draft) && draft.trigger === "price" && !draft.stopPrice) return "Enter the trigger price";
  if (takesStop(draft) && draft.trigger !== "price" && !draft.distance) return "Enter the distance from the market";
  if (takesPrice(draft) && !draft.price) return "Enter a price";
  if (!draft.quantity) return "Enter a quantity";
  return inForce(draft) === "GTD" && !draft.until ? "Enter until when it is good" : null;
}

/** The price beyond which an order without one is not traded: the pair's protection around the best opposite price. */
export function protectedPrice(side: OrderSide, best: Decimal, rules: PairRules): Decimal {
  const parts = BigInt(side === "BUY" ? 10_000 + rules.protectionBps : 10_000 - rules.protectionBps).toString();
  const exact = divide(multiply(best, parts), "10000", 36, side === "BUY" ? "down" : "up");
  return toStep(exact, rules.tickSize, side === "BUY" ? "down" : "up");
}

/**
 * What is signed: without a price the platform would take its protection from the book as it finds it, and could take
 * more than the receipt said. A stop's protection lies around its trigger, which is signed or moves with the market.
 */
export function asShown(draft: Draft, worstPrice: Decimal | null): Draft {
  return draft.orderType === "MARKET" && worstPrice !== null ? { ...draft, worstPrice } : draft;
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
