/** A pair's rules for the ticket, and questions about one's orders and trades. */

import { api, type Schemas } from "../../api/client.ts";
import { ask, type Pair } from "../../api/queries.ts";
import type { PairRules } from "../../domain/ticket.ts";

export type Order = Schemas["OrderAnswer"];
export type MyTrade = Schemas["MyTrade"];

export function rulesOf(pair: Pair): PairRules {
  return {
    tickSize: pair.tickSize,
    lotSize: pair.lotSize,
    feeBps: pair.feeBps,
    feeMode: pair.feeMode,
    minQuantity: pair.filters.minQuantity,
    maxQuantity: pair.filters.maxQuantity,
    minNotional: pair.filters.minNotional,
    protectionBps: pair.filters.protectionBps,
    baseDecimals: pair.base.decimals,
    quoteDecimals: pair.quote.decimals,
  };
}

const LIVING = ["PENDING_MATCH", "OPEN", "PARTIAL"] as const;
const SHOWN = 100;

/** My living orders on a pair, the newest first. */
export function openOrders(userId: string, pair: string) {
  return ask({
    queryKey: ["orders", userId, pair, "open"],
    queryFn: async ({ signal }) => {
      const asked = LIVING.map((status) =>
        api.get("/api/v1/trading/users/{userId}/orders", {
          path: { userId },
          query: { tradingPairId: pair, status, limit: SHOWN },
          signal,
        }),
      );
      const found = (await Promise.all(asked)).flatMap(({ data }) => data);
      return found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    },
  });
}

export function orderHistory(userId: string, pair: string) {
  return ask({
    queryKey: ["orders", userId, pair, "history"],
    queryFn: async ({ signal }) => {
      const query = { tradingPairId: pair, limit: SHOWN };
      const found = await api.get("/api/v1/trading/users/{userId}/orders", { path: { userId }, query, signal });
      return found.data.filter(({ status }) => !(LIVING as readonly string[]).includes(status));
    },
  });
}

export function myTrades(userId: string, pair: string) {
  return ask({
    queryKey: ["fills", userId, pair],
    queryFn: async ({ signal }) => {
      const query = { tradingPairId: pair, limit: SHOWN };
      return (await api.get("/api/v1/trading/users/{userId}/trades", { path: { userId }, query, signal })).data;
    },
  });
}
