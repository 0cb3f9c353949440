/** Decimal text as people read it: grouped, with as many places as the place has room for. */

import { compare, toPlaces, type Decimal } from "./decimal.ts";

/** `1234567.891` → `1,234,567.891`. Nothing is lost. */
export function grouped(text: Decimal): string {
  const [whole = "0", fraction] = text.split(".");
  const digits = whole.replace(/\B(?=([0-9]{3})+(?![0-9]))/g, ",");
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/** With exactly so many places, cut towards zero: a balance never looks larger than it is. */
export function fixed(text: Decimal, places: number): string {
  const negative = text.startsWith("-");
  const cut = toPlaces(negative ? text.slice(1) : text, places);
  const [whole = "0", fraction = ""] = cut.split(".");
  const shown = places > 0 ? `${grouped(whole)}.${fraction.padEnd(places, "0")}` : grouped(whole);
  return negative && compare(cut, "0") !== 0 ? `-${shown}` : shown;
}

/** At most so many places, and a sign that something was left out: `0.0000…` never reads as nothing. */
export function short(text: Decimal, places: number): string {
  const cut = fixed(text, places);
  const exact = grouped(text);
  if (trimmed(cut) === trimmed(exact)) return trimmed(cut);
  const isTiny = trimmed(cut) === "0";
  const step = `0.${"1".padStart(places, "0")}`;
  return isTiny ? `${text.startsWith("-") ? ">-" : "<"}${places > 0 ? step : "1"}` : trimmed(cut);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `-250` → `-2.50%`. */
export function percentOfBps(bps: number): string {
  const sign = bps > 0 ? "+" : bps < 0 ? "-" : "";
  const digits = String(Math.abs(bps)).padStart(3, "0");
  return `${sign}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}%`;
}

const STEPS: readonly (readonly [Decimal, string])[] = [
  ["1000000000000", "T"],
  ["1000000000", "B"],
  ["1000000", "M"],
  ["10000", "K"],
];

/** `1234567` → `1.23M`, for columns where the exact number stands in the title. */
export function compact(text: Decimal): string {
  for (const [step, letter] of STEPS) {
    if (compare(text, step) >= 0) {
      const places = step.length - 1 - (letter === "K" ? 1 : 0);
      return `${shifted(text, places)}${letter}`;
    }
  }
  return short(text, 2);
}

/** The decimal point moved to the left, two places kept. */
function shifted(text: Decimal, places: number): string {
  const whole = (text.split(".")[0] ?? "0").padStart(places + 1, "0");
  return trimmed(fixed(`${whole.slice(0, -places)}.${whole.slice(-places)}`, 2));
}
