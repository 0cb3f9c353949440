/** What the list of markets shows: markets, the pairs that trade them, and pairs of tokens that nobody issued here. */

import type { Market, Pair, PairStats } from "../../api/queries.ts";
import { compare } from "../../domain/decimal.ts";

export interface MarketRow {
  readonly key: string;
  readonly name: string;
  readonly symbol: string;
  readonly assetType: string;
  readonly status: string;
  readonly market: Market | null;
  readonly pair: Pair | null;
  readonly stats: PairStats | null;
}

export type SortKey = "name" | "price" | "change" | "volume";

export interface Sorting {
  readonly by: SortKey;
  readonly down: boolean;
}

export function marketRows(markets: readonly Market[], pairs: readonly Pair[], stats: readonly PairStats[]): MarketRow[] {
  const pairOf = new Map(pairs.map((pair) => [pair.marketId, pair]));
  const statsOf = new Map(stats.map((entry) => [entry.tradingPairId, entry]));
  return markets.map((market) => {
    const pair = pairOf.get(market.id) ?? null;
    return {
      key: market.id,
      name: market.name,
      symbol: market.tokenSymbol,
      assetType: market.assetType,
      status: market.status,
      market,
      pair,
      stats: pair ? (statsOf.get(pair.id) ?? null) : null,
    };
  });
}

/** Pairs without a market of ours, where they fit what is looked for. */
export function cryptoRows(pairs: readonly Pair[], stats: readonly PairStats[], text: string): MarketRow[] {
  const statsOf = new Map(stats.map((entry) => [entry.tradingPairId, entry]));
  return pairs
    .filter((pair) => pair.marketId === null && pair.symbol.toLowerCase().includes(text.toLowerCase()))
    .map((pair) => ({
      key: pair.id,
      name: pair.symbol,
      symbol: pair.base.symbol,
      assetType: "crypto",
      status: pair.status,
      market: null,
      pair,
      stats: statsOf.get(pair.id) ?? null,
    }));
}

export function sortRows(rows: readonly MarketRow[], { by, down }: Sorting): MarketRow[] {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => sign * ORDERS[by](a, b) || a.symbol.localeCompare(b.symbol));
}

const ORDERS: Readonly<Record<SortKey, (a: MarketRow, b: MarketRow) => number>> = {
  name: (a, b) => a.name.localeCompare(b.name),
  price: (a, b) => compare(a.stats?.lastPrice ?? "-1", b.stats?.lastPrice ?? "-1"),
  change: (a, b) => (a.stats?.changeBps24h ?? -100_000) - (b.stats?.changeBps24h ?? -100_000),
  volume: (a, b) => compare(a.stats?.quoteVolume24h ?? "-1", b.stats?.quoteVolume24h ?? "-1"),
};
