/** What the issuer's pages ask. */

import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { isMoving } from "../../domain/journey.ts";

const SOON_MS = 1_500;
const LATER_MS = 20_000;

export function marketDetails(id: string) {
  return ask({
    queryKey: ["market", "details", id],
    queryFn: ({ signal }) => api.get("/api/v1/markets/{id}/details", { path: { id }, signal }),
    refetchInterval: (query) => (isMoving(query.state.data?.market.status ?? "") ? SOON_MS : LATER_MS),
  });
}

export function marketEvents(id: string, moving: boolean) {
  return ask({
    queryKey: ["market", "events", id],
    queryFn: async ({ signal }) => (await api.get("/api/v1/markets/{id}/events", { path: { id }, query: { limit: 200 }, signal })).data,
    refetchInterval: moving ? SOON_MS : LATER_MS,
  });
}

export function issuedToken(symbol: string, live: boolean) {
  return ask({
    queryKey: ["market", "token", symbol],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/{id}", { path: { id: symbol }, signal }),
    enabled: live,
  });
}

/** How I stand with compliance, for each token. */
export function myStanding(userId: string) {
  return ask({
    queryKey: ["standing", userId],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/compliance/{userId}", { path: { userId }, signal }),
    refetchInterval: 10_000,
  });
}
