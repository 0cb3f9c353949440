/** What the portfolio asks of one person's things. */

import { api, type Schemas } from "../../api/client.ts";
import { ask, type Pair } from "../../api/queries.ts";
import { splitPair, type Fill } from "../../domain/holdings.ts";

const PAGE = 200;
const MOST_PAGES = 10;

export interface AllTrades {
  /** Newest first. */
  readonly trades: readonly Schemas["MyTrade"][];
  /** Whether these are all that there ever were. */
  readonly whole: boolean;
}

export function allTrades(userId: string) {
  return ask({
    queryKey: ["fills", "all", userId],
    queryFn: async ({ signal }): Promise<AllTrades> => {
      const trades: Schemas["MyTrade"][] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const told: Schemas["Page_MyTrade_"] = await api.get("/api/v1/trading/users/{userId}/trades", {
          path: { userId },
          query: { limit: PAGE, ...(cursor ? { cursor } : {}) },
          signal,
        });
        trades.push(...told.data);
        cursor = told.nextCursor;
        if (!cursor) return { trades, whole: true };
      }
      return { trades, whole: false };
    },
    refetchInterval: 5_000,
  });
}

/** As the rules of holdings take them: oldest first. */
export function fillsOf(trades: readonly Schemas["MyTrade"][], tokenOf: ReadonlyMap<string, string>): readonly Fill[] {
  return trades
    .map((trade) => {
      const [base, quote] = splitPair(trade.pair);
      return { ...trade, base, quote, feeInBase: tokenOf.get(trade.feeTokenId) === base };
    })
    .reverse();
}

export interface Statement {
  /** Newest first. */
  readonly lines: readonly Schemas["LineAnswer"][];
  readonly whole: boolean;
}

/** So many lines that they can be printed; the file has all. */
export function statementOf(userId: string) {
  return ask({
    queryKey: ["ledger", "statement", userId],
    queryFn: async ({ signal }): Promise<Statement> => {
      const lines: Schemas["LineAnswer"][] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const told: Schemas["Page_LineAnswer_"] = await api.get("/api/v1/ledger", { query: { limit: PAGE, ...(cursor ? { cursor } : {}) }, signal });
        lines.push(...told.data);
        cursor = told.nextCursor;
        if (!cursor) return { lines, whole: true };
      }
      return { lines, whole: false };
    },
  });
}

/** The pair in which a token's worth is told, where it has one. */
export function pricedIn(symbol: string, pairs: readonly Pair[]): Pair | undefined {
  return pairs.find((pair) => pair.base.symbol === symbol);
}
