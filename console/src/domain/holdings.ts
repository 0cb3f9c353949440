/** What somebody's trades come to: what is still on its way to the chain, what was paid, and what was gained. */

import { add, compare, divide, isZero, multiply, subtract, type Decimal } from "./decimal.ts";

/** A trade as its party has it. `base` and `quote` are the symbols of its pair. */
export interface Fill {
  readonly base: string;
  readonly quote: string;
  readonly side: string;
  readonly quantity: Decimal;
  readonly value: Decimal;
  readonly fee: Decimal;
  /** Whether the fee was taken in the base token. */
  readonly feeInBase: boolean;
  readonly settlementStatus: string;
}

/** `A-B-USDC` → `A-B` and `USDC`: the quote's symbol comes after the last hyphen. */
export function splitPair(symbol: string): readonly [string, string] {
  const place = symbol.lastIndexOf("-");
  return place < 0 ? [symbol, ""] : [symbol.slice(0, place), symbol.slice(place + 1)];
}

function received({ side, quantity, value, fee, feeInBase }: Fill): Decimal {
  const [gross, taken] = side === "BUY" ? [quantity, feeInBase] : [value, !feeInBase];
  return taken ? subtract(gross, fee) : gross;
}

/** By symbol: what trades have brought that the chain has not confirmed yet. It is part of what is available, and cannot
 * be withdrawn before. */
export function settling(fills: readonly Fill[]): ReadonlyMap<string, Decimal> {
  const found = new Map<string, Decimal>();
  for (const fill of fills) {
    if (fill.settlementStatus === "SETTLED" || fill.settlementStatus === "FAILED") continue;
    const symbol = fill.side === "BUY" ? fill.base : fill.quote;
    found.set(symbol, add(found.get(symbol) ?? "0", received(fill)));
  }
  return found;
}

export interface Basis {
  /** How much of what was bought here is still held, as far as trades tell. */
  readonly quantity: Decimal;
  readonly cost: Decimal;
  readonly realized: Decimal;
  readonly quote: string;
}

const PLACES = 18;

/**
 * What was bought here and has not been sold, at average cost, with fees; by symbol of the base token. Oldest trade
 * first. What came by deposit or transfer has no cost that is known here: of what is sold beyond what was bought, nothing
 * is counted as gained.
 */
export function basisOf(fills: readonly Fill[]): ReadonlyMap<string, Basis> {
  const found = new Map<string, Basis>();
  for (const fill of fills) {
    if (fill.settlementStatus === "FAILED") continue;
    const before = found.get(fill.base) ?? { quantity: "0", cost: "0", realized: "0", quote: fill.quote };
    // Another currency's cost cannot be added to this one's.
    if (before.quote !== fill.quote) continue;
    found.set(fill.base, fill.side === "BUY" ? bought(before, fill) : sold(before, fill));
  }
  return found;
}

function bought(before: Basis, fill: Fill): Basis {
  const paid = fill.feeInBase ? fill.value : add(fill.value, fill.fee);
  return { ...before, quantity: add(before.quantity, received(fill)), cost: add(before.cost, paid) };
}

function sold(before: Basis, fill: Fill): Basis {
  if (isZero(before.quantity)) return before;
  const given = fill.feeInBase ? add(fill.quantity, fill.fee) : fill.quantity;
  const ours = compare(given, before.quantity) > 0 ? before.quantity : given;
  const cost = divide(multiply(before.cost, ours), before.quantity, PLACES, "up");
  const proceeds = divide(multiply(received(fill), ours), given, PLACES, "down");
  return {
    ...before,
    quantity: subtract(before.quantity, ours),
    cost: subtract(before.cost, cost),
    realized: add(before.realized, subtract(proceeds, cost)),
  };
}

/** What one of them has cost. */
export function averageCost({ quantity, cost }: Basis): Decimal | null {
  return isZero(quantity) ? null : divide(cost, quantity, 8, "up");
}

/** What would be gained if what was bought here went at this price. */
export function unrealized({ quantity, cost }: Basis, price: Decimal): Decimal {
  return subtract(multiply(quantity, price), cost);
}

export interface Line {
  readonly symbol: string;
  readonly amount: Decimal;
  readonly balance: Decimal;
}

export interface Turnover {
  readonly symbol: string;
  readonly opening: Decimal;
  readonly incoming: Decimal;
  readonly outgoing: Decimal;
  readonly closing: Decimal;
}

/** What lines of a statement come to, token by token. Newest first, as the API gives them. */
export function turnovers(lines: readonly Line[]): readonly Turnover[] {
  const found = new Map<string, Turnover>();
  for (const { symbol, amount, balance } of [...lines].reverse()) {
    const opening = subtract(balance, amount);
    const before = found.get(symbol) ?? { symbol, opening, incoming: "0", outgoing: "0", closing: opening };
    const out = amount.startsWith("-");
    found.set(symbol, {
      ...before,
      incoming: out ? before.incoming : add(before.incoming, amount),
      outgoing: out ? add(before.outgoing, amount.slice(1)) : before.outgoing,
      closing: balance,
    });
  }
  return [...found.values()].sort((a, b) => a.symbol.localeCompare(b.symbol));
}
