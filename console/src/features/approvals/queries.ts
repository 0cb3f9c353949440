/** What the approval desk asks. A registration is asked for once and then left alone: what is decided on is what was seen. */

import { api, type Schemas } from "../../api/client.ts";
import { ask, type Market } from "../../api/queries.ts";

export type Details = Schemas["MarketDetailsAnswer"];
export type History = readonly Schemas["MarketEventAnswer"][];

export type Verdict = "approve" | "reject";

const PAGE = 200;
const PAGES_AT_MOST = 10;

/** All that wait, the longest first; the API lists the newest first. */
export const waiting = ask({
  queryKey: ["approvals", "waiting"],
  queryFn: async ({ signal }) => {
    const found: Market[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_AT_MOST; page += 1) {
      const query = { status: "pending_approval" as const, limit: PAGE, ...(cursor ? { cursor } : {}) };
      const told: Schemas["Page_MarketAnswer_"] = await api.get("/api/v1/markets", { query, signal });
      found.push(...told.data);
      cursor = told.nextCursor;
      if (!cursor) break;
    }
    return found.reverse();
  },
  refetchInterval: 10_000,
});

export function looked(id: string) {
  return ask({
    queryKey: ["approvals", "looked", id],
    queryFn: ({ signal }) => api.get("/api/v1/markets/{id}/details", { path: { id }, signal }),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

export function historyOf(id: string) {
  return ask({
    queryKey: ["approvals", "history", id],
    queryFn: async ({ signal }): Promise<History> => {
      const query = { limit: PAGE };
      return (await api.get("/api/v1/markets/{id}/events", { path: { id }, query, signal })).data;
    },
  });
}

export function issuedBy(issuerId: string) {
  return ask({
    queryKey: ["markets", "of-issuer", issuerId],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/markets", { query: { issuerId, limit: PAGE }, signal })).data,
  });
}

/** Who registered it: whoever began its history. */
export function issuerOf(history: History): string | null {
  return history[0]?.actorId ?? null;
}
