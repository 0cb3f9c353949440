/** What an asset is said to be worth, by the token, and how far the market is from it. */

import { compare, divide, isPositive, multiply, subtract, toPlaces, type Decimal } from "./decimal.ts";

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
