/** Questions about one market. */

import { api, type Schemas } from "../../api/client.ts";
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

const SOON_MS = 3_000;
const LATER_MS = 15_000;

/** Who is not let in waits for an answer; who is only wants to hear when that changes. */
function often(query: { readonly state: { readonly data: { readonly allowed: boolean } | undefined } }): number {
  return query.state.data?.allowed ? LATER_MS : SOON_MS;
}

/** What would be said to me, were I to receive so much. */
export function mayReceive(tokenId: string, userId: string, amount = "1") {
  return ask({
    queryKey: ["market", "eligibility", tokenId, userId, "receive", amount],
    queryFn: ({ signal }) => judged(tokenId, { operation: "DEPOSIT", toUserId: userId, amount }, signal),
    refetchInterval: often,
  });
}

/** What would be said to me, were I to give away what I hold. */
export function maySend(tokenId: string, userId: string, amount: string) {
  return ask({
    queryKey: ["market", "eligibility", tokenId, userId, "send", amount],
    queryFn: ({ signal }) => judged(tokenId, { operation: "WITHDRAWAL", fromUserId: userId, amount }, signal),
    refetchInterval: often,
  });
}

function judged(id: string, body: Schemas["PreviewOperation"], signal: AbortSignal) {
  return api.post("/api/v1/tokens/{id}/compliance/preview", { path: { id }, body, signal });
}

/** What compliance has on record of me. */
export function standingOf(userId: string) {
  return ask({
    queryKey: ["market", "standing", userId],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/compliance/{userId}", { path: { userId }, signal }),
    refetchInterval: LATER_MS,
  });
}
