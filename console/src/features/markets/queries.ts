/** Questions about one market. */

import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";

export function detailsOf(id: string) {
  return ask({
    queryKey: ["market", id, "details"],
    queryFn: ({ signal }) => api.get("/api/v1/markets/{id}/details", { path: { id }, signal }),
  });
}

export function eventsOf(id: string) {
  return ask({
    queryKey: ["market", id, "events"],
    queryFn: async ({ signal }) => (await api.get("/api/v1/markets/{id}/events", { path: { id }, query: { limit: 200 }, signal })).data,
  });
}

export function tokenOf(symbol: string) {
  return ask({
    queryKey: ["market", "token", symbol],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/{id}", { path: { id: symbol }, signal }),
  });
}

export function priceOf(pair: string) {
  return ask({
    queryKey: ["market", "price", pair],
    queryFn: ({ signal }) => api.get("/api/v1/trading/pairs/{id}/price", { path: { id: pair }, signal }),
    refetchInterval: 10_000,
  });
}

/** What would be said to me, were I to receive one token. */
export function eligibility(tokenId: string, userId: string) {
  return ask({
    queryKey: ["market", "eligibility", tokenId, userId],
    queryFn: ({ signal }) =>
      api.post("/api/v1/tokens/{id}/compliance/preview", {
        path: { id: tokenId },
        body: { operation: "DEPOSIT", toUserId: userId, amount: "1" },
        signal,
      }),
    refetchInterval: 15_000,
  });
}
