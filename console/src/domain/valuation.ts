/** What an asset is said to be worth, by the token, and how far the market is from it. */

import { compare, divide, isPositive, multiply, readAmount, subtract, toPlaces, type Decimal } from "./decimal.ts";
import { short } from "./show.ts";

const PLACES = 6;

/** The valuation shared out among all tokens; `null` where either is unknown. */
export function perToken(valuation: Decimal | null | undefined, supply: Decimal): Decimal | null {
  return valuation && isPositive(supply) ? divide(valuation, supply, PLACES, "down") : null;
}

/** How far `price` is above (or below) `worth`, in hundredths of a percent, towards zero. */
export function distanceBps(price: Decimal, worth: Decimal): number | null {
  if (!isPositive(worth)) return null;
  const apart = subtract(price, worth);
  const below = compare(apart, "0") < 0;
  const size = divide(multiply(below ? apart.slice(1) : apart, "10000"), worth, 0, "down");
  // More than a million percent is no comparison any more.
  if (compare(size, "100000000") > 0) return null;
  const whole = Number(toPlaces(size, 0));
  return below && whole > 0 ? -whole : whole;
}

/** What the issuer's free words call the yield: `5.2` → `5.2%`, other words as they are; `null` where nothing is said. */
export function yieldOf(attributes: Readonly<Record<string, unknown>>): string | null {
  const [, said] = Object.entries(attributes).find(([name]) => name.toLowerCase() === "yield") ?? [];
  if (typeof said !== "string" && typeof said !== "number") return null;
  const text = String(said).trim();
  const amount = readAmount(text.replace(/\s*%$/, ""));
  return amount === null ? text || null : `${short(amount, 2)}%`;
}
