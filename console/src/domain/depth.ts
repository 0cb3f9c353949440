/** A book as it is shown: grouped into steps, added up from the best level outwards, with the spread between. */

import type { Level } from "./checksum.ts";
import { add, compare, divide, multiply, subtract, thousandths, toStep, type Decimal } from "./decimal.ts";

export interface DepthRow {
  readonly price: Decimal;
  readonly quantity: Decimal;
  /** All that stands at this price or better. */
  readonly total: Decimal;
  /** The total as a share of the deepest one shown, in thousandths. */
  readonly share: number;
}

export type Side = "bids" | "asks";

/** Levels of a step put together: bids at the step below, asks at the step above, so that none looks better than it is. */
export function grouped(levels: readonly Level[], side: Side, step: Decimal): Level[] {
  const found: [Decimal, Decimal][] = [];
  for (const [price, quantity] of levels) {
    const at = toStep(price, step, side === "bids" ? "down" : "up");
    const last = found[found.length - 1];
    if (last && compare(last[0], at) === 0) last[1] = add(last[1], quantity);
    else found.push([at, quantity]);
  }
  return found;
}

export function depthRows(levels: readonly Level[], rows: number): DepthRow[] {
  let total = "0";
  const shown = levels.slice(0, rows).map(([price, quantity]) => {
    total = add(total, quantity);
    return { price, quantity, total };
  });
  const deepest = total;
  return shown.map((row) => ({ ...row, share: thousandths(row.total, deepest) }));
}

export interface Spread {
  readonly width: Decimal;
  /** In hundredths of a percent of the middle, two places. */
  readonly bps: Decimal;
  readonly middle: Decimal;
}

export function spreadOf(bestBid: Decimal | undefined, bestAsk: Decimal | undefined): Spread | null {
  if (bestBid === undefined || bestAsk === undefined) return null;
  const width = subtract(bestAsk, bestBid);
  const middle = divide(add(bestAsk, bestBid), "2", 18, "down");
  return { width, middle, bps: divide(multiply(width, "10000"), middle, 2, "down") };
}

/** Steps to group by: the tick and what is ten, a hundred and a thousand times as wide. */
export function stepsOf(tick: Decimal): Decimal[] {
  return ["1", "10", "100", "1000"].map((times) => multiply(tick, times));
}
