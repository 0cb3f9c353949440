/** A line of prices for a small drawing: pure, and from decimal text to whole pixels without a number in between. */

import { compare, larger, smaller, subtract, thousandths, type Decimal } from "./decimal.ts";

export interface SparkCandle {
  readonly openedAt: string;
  readonly open: Decimal;
  readonly close: Decimal;
}

/** Where the line begins, and where each interval closed: the oldest first, of those that are not older than `since`. */
export function sparkPrices(newestFirst: readonly SparkCandle[], since: Date): Decimal[] {
  const young = newestFirst.filter(({ openedAt }) => new Date(openedAt) >= since).reverse();
  const [first] = young;
  return first ? [first.open, ...young.map(({ close }) => close)] : [];
}

/** The points of an SVG line in a box of a thousand by a thousand, the lowest price at the bottom. */
export function sparkPoints(prices: readonly Decimal[]): string {
  const [first] = prices;
  if (first === undefined) return "";
  const low = prices.reduce(smaller, first);
  const height = subtract(prices.reduce(larger, first), low);
  const last = prices.length - 1;
  return prices
    .map((price, place) => {
      const up = compare(height, "0") > 0 ? thousandths(subtract(price, low), height) : 500;
      return `${last > 0 ? Math.round((place * 1000) / last) : 0},${1000 - up}`;
    })
    .join(" ");
}
