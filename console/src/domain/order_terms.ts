/** How an order behaves: its trigger, how long it is in force, when it ends; as it is typed and as it is signed. Pure. */

import { add, compare, divide, isPositive, isWholeSteps, larger, multiply, readAmount, subtract, toStep, type Decimal } from "./decimal.ts";
import type { Draft, OrderSide, TimeInForce } from "./ticket.ts";

export const MOST_AHEAD_S = 90 * 86_400;
const USUAL_S = 30 * 86_400;
/** An order that neither rests nor waits need not be good for long. */
const AT_ONCE_S = 600;

type Kind = Pick<Draft, "orderType">;

export function takesPrice({ orderType }: Kind): boolean {
  return orderType === "LIMIT" || orderType === "STOP_LIMIT";
}

export function takesStop({ orderType }: Kind): boolean {
  return orderType === "STOP_LIMIT" || orderType === "STOP_MARKET";
}

/** How long each kind may be in force. What goes to market does not rest, and what waits for a trigger is not at once. */
export const IN_FORCE: Readonly<Record<Draft["orderType"], readonly TimeInForce[]>> = {
  LIMIT: ["GTC", "GTD", "IOC", "FOK"],
  STOP_LIMIT: ["GTC", "GTD", "IOC", "FOK"],
  MARKET: ["IOC", "FOK"],
  STOP_MARKET: ["GTC", "GTD", "FOK"],
};

/** What was chosen, or where its kind does not have that, what is usual. */
export function inForce({ orderType, timeInForce }: Pick<Draft, "orderType" | "timeInForce">): TimeInForce {
  const possible = IN_FORCE[orderType];
  return possible.includes(timeInForce) ? timeInForce : (possible[0] ?? "GTC");
}

/** Whether it can rest in the book, and so be told to do nothing else. */
export function canRest(draft: Pick<Draft, "orderType" | "timeInForce">): boolean {
  const force = inForce(draft);
  return takesPrice(draft) && (force === "GTC" || force === "GTD");
}

export function onlyRests(draft: Draft): boolean {
  return canRest(draft) && draft.postOnly;
}

const MOST_DIGITS = 9;

/** The distance as it is signed: `trail:250` ticks or `trail:50bps`; `null` where it is none. */
export function trailText({ trigger, distance }: Pick<Draft, "trigger" | "distance">, tickSize: Decimal): string | null {
  const typed = readAmount(distance);
  if (typed === null || !isPositive(typed)) return null;
  if (trigger === "percent") {
    return isWholeSteps(typed, "0.01") && compare(typed, "100") < 0 ? `trail:${multiply(typed, "100")}bps` : null;
  }
  const ticks = isWholeSteps(typed, tickSize) ? divide(typed, tickSize, 0, "down") : "";
  return ticks !== "" && ticks.length <= MOST_DIGITS ? `trail:${ticks}` : null;
}

/** The trigger as it is signed; empty where there is none. */
export function stopText(draft: Draft, tickSize: Decimal): string {
  if (!takesStop(draft)) return "";
  return (draft.trigger === "price" ? readAmount(draft.stopPrice) : trailText(draft, tickSize)) ?? "";
}

const TRAIL = /^trail:([0-9]+)(bps)?$/;

export interface Trail {
  readonly trigger: "amount" | "percent";
  readonly distance: Decimal;
}

/** A signed distance as it would be typed; `null` for a price. */
export function readTrail(stopPrice: string, tickSize: Decimal): Trail | null {
  const [, count, bps] = TRAIL.exec(stopPrice) ?? [];
  if (count === undefined) return null;
  if (bps) return { trigger: "percent", distance: divide(count, "100", 2, "down") };
  return { trigger: "amount", distance: multiply(count, tickSize) };
}

/** Where a stop that follows the market would stand now. A distance in percent is rounded up to whole ticks. */
export function trailedPrice(side: OrderSide, last: Decimal, { trigger, distance }: Trail, tickSize: Decimal): Decimal {
  const away = trigger === "amount" ? distance : toStep(divide(multiply(last, distance), "100", 36, "up"), tickSize, "up");
  if (side === "BUY") return add(last, away);
  return compare(last, away) > 0 ? larger(subtract(last, away), tickSize) : tickSize;
}

/** Seconds of a moment as the browser's field has it, in the reader's zone. */
export function untilSeconds(until: string): number | null {
  const ms = new Date(until).getTime();
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

/** A moment as the browser's field has it: with its seconds where it has any, so that what is not changed stays as it is. */
export function untilText(seconds: number): string {
  const at = new Date(seconds * 1000);
  const two = (part: number): string => String(part).padStart(2, "0");
  const minute = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.getSeconds() === 0 ? minute : `${minute}:${two(at.getSeconds())}`;
}

const A_MINUTE = "2026-12-24T18:00".length;

/** The field's own steps: it takes no seconds unless it is told so. */
export function untilStep(until: string): number {
  return until.length > A_MINUTE ? 1 : 60;
}

/** When the signature ends. */
export function expiryOf(draft: Draft, nowS: number): number {
  const force = inForce(draft);
  if (force === "GTD") return untilSeconds(draft.until) ?? nowS;
  const waits = takesStop(draft) || force === "GTC";
  return nowS + (waits ? USUAL_S : AT_ONCE_S);
}
