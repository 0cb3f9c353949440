/** One token for another: what can be converted into what, what was typed, and where a swap stands. Pure. */

import { compare, isZero, multiply, placesOf, readAmount, type Decimal } from "./decimal.ts";
import { along, stopped, type Step } from "./passage.ts";
import { sentence } from "./words.ts";

export type SwapSide = "BUY" | "SELL";

/** What of a pair a swap looks at. */
export interface SwapPair {
  readonly symbol: string;
  readonly status: string;
  readonly base: { readonly symbol: string; readonly decimals: number };
  readonly quote: { readonly symbol: string; readonly decimals: number };
}

/** As it was chosen and typed; a token that was not chosen yet is empty. */
export interface SwapDraft {
  readonly from: string;
  readonly to: string;
  readonly amount: string;
  /** How far the book may move against it until its turn comes, in hundredths of a percent. */
  readonly toleranceBps: number;
}

export const EMPTY_SWAP: SwapDraft = { from: "", to: "", amount: "", toleranceBps: 50 };
export const TOLERANCES_BPS: readonly number[] = [0, 10, 50, 100, 300];

/** A pair, and which way along it. */
export interface Route<P extends SwapPair> {
  readonly pair: P;
  readonly side: SwapSide;
}

/** Every token that can be given for another, each once. Pairs that have ended lead nowhere. */
export function tokensOf(pairs: readonly SwapPair[]): readonly string[] {
  return [...new Set(living(pairs).flatMap(({ base, quote }) => [quote.symbol, base.symbol]))];
}

/** What a token can become. */
export function targetsOf(from: string, pairs: readonly SwapPair[]): readonly string[] {
  return living(pairs).flatMap(({ base, quote }) => (quote.symbol === from ? [base.symbol] : base.symbol === from ? [quote.symbol] : []));
}

/** The way from one token to the other, where there is one: BUY gives the pair's quote token, SELL its base token. */
export function routeOf<P extends SwapPair>(from: string, to: string, pairs: readonly P[]): Route<P> | null {
  for (const pair of living(pairs)) {
    if (pair.quote.symbol === from && pair.base.symbol === to) return { pair, side: "BUY" };
    if (pair.base.symbol === from && pair.quote.symbol === to) return { pair, side: "SELL" };
  }
  return null;
}

/** The draft with tokens that fit together: those that were chosen where they do, or else the first that can be had. */
export function fitting(draft: SwapDraft, pairs: readonly SwapPair[]): SwapDraft {
  const tokens = tokensOf(pairs);
  const from = tokens.includes(draft.from) ? draft.from : (tokens[0] ?? "");
  const targets = targetsOf(from, pairs);
  return { ...draft, from, to: targets.includes(draft.to) ? draft.to : (targets[0] ?? "") };
}

function living<P extends SwapPair>(pairs: readonly P[]): readonly P[] {
  return pairs.filter(({ status }) => status !== "closed");
}

/** What is wrong with the amount that was typed; nothing is said of a field that is still empty. */
export function swapProblem(typed: string, decimals: number): string | null {
  if (!typed) return null;
  const amount = readAmount(typed);
  if (amount === null || isZero(amount)) return "A positive amount, such as 250.50";
  return placesOf(amount) > decimals ? `At most ${decimals} places after the point` : null;
}

/** Whether what a sale brings at least is worth so little that the pair does not take it: the fee counts to the worth. */
export function isTooLittle(side: SwapSide, least: Decimal, minNotional: Decimal, feeBps: number): boolean {
  if (isZero(least)) return true;
  return side === "SELL" && compare(multiply(least, "10000"), multiply(minNotional, BigInt(10_000 - feeBps).toString())) < 0;
}

/** A swap as far as its way goes. */
export interface SwapState {
  readonly status: string;
  readonly reason: string | null;
  readonly settlementStatus: string | null;
}

const WAY = ["Signed and taken in", "Converted", "Delivered on the chain"];
const WAITS: readonly string[] = ["PENDING_MATCH", "OPEN", "PARTIAL"];

export function swapIsOver({ status, settlementStatus }: SwapState): boolean {
  if (WAITS.includes(status)) return false;
  return status !== "FILLED" || settlementStatus === "SETTLED" || settlementStatus === "FAILED";
}

export function swapSteps({ status, reason, settlementStatus }: SwapState): readonly Step[] {
  if (WAITS.includes(status)) return along(WAY, 1, "Its turn in the book comes in a moment.");
  if (status !== "FILLED") return stopped(WAY, 1, status, `${whyNot(reason)} Nothing was converted, and what was set aside is yours again.`);
  if (settlementStatus === "SETTLED") return along(WAY, WAY.length, "");
  if (settlementStatus === "FAILED") {
    return stopped(WAY, 2, "FAILED", "A trade of it could not be delivered, and is undone: what you gave for it is yours again.");
  }
  return along(WAY, 2, "What you received can be traded already, and withdrawn once the chain has confirmed it.");
}

const WHY_NOT: Readonly<Record<string, string>> = {
  min_amount_out: "The book had moved: it would have given less than the least that you signed.",
  self_trade: "An order of your own stood in its way.",
  not_eligible: "Compliance did not allow it when its turn came.",
  market_paused: "The market was paused when its turn came.",
  market_closed: "The market had ended when its turn came.",
  expired: "Your signature had ended when its turn came.",
};

function whyNot(reason: string | null): string {
  return WHY_NOT[reason ?? ""] ?? `${sentence(reason ?? "It was not taken")}.`;
}
