/** What the approval desk asks. A registration is asked for once and then left alone: what is decided on is what was seen. */

import { allPages, LONGEST_PAGE } from "../../api/all_pages.ts";
import { api, type Schemas } from "../../api/client.ts";
import { ask, type Market } from "../../api/queries.ts";

export type Details = Schemas["MarketDetailsAnswer"];
export type Mint = Schemas["MintAnswer"];
export type History = readonly Schemas["MarketEventAnswer"][];

export type Verdict = "approve" | "reject";

const UNDER_WAY: ReadonlySet<string> = new Set(["APPROVED", "SUBMITTED"]);

/** All that wait, the longest first; the API lists the newest first. */
export const waiting = ask({
  queryKey: ["work", "registrations"],
  queryFn: async ({ signal }) =>
    (
      await allPages<Market>((following) =>
        api.get("/api/v1/markets", { query: { status: "pending_approval", ...following }, signal }),
      )
    ).reverse(),
  refetchInterval: 10_000,
});

/** Mints that wait for a second person, the longest first. */
export const waitingMints = ask({
  queryKey: ["work", "mints"],
  queryFn: async ({ signal }) =>
    (
      await allPages<Mint>((following) =>
        api.get("/api/v1/tokens/mints", { query: { status: "PENDING_APPROVAL", ...following }, signal }),
      )
    ).reverse(),
  refetchInterval: 10_000,
});

/** One mint, watched until the chain has said what became of it. */
export function mintOf(id: string) {
  return ask({
    queryKey: ["approvals", "mint", id],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/mints/{id}", { path: { id }, signal }),
    refetchInterval: (query) => (UNDER_WAY.has(query.state.data?.status ?? "") ? 2_000 : false),
  });
}

export function tokenOf(id: string) {
  return ask({
    queryKey: ["approvals", "token", id],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/{id}", { path: { id }, signal }),
  });
}

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
      const query = { limit: LONGEST_PAGE };
      return (await api.get("/api/v1/markets/{id}/events", { path: { id }, query, signal })).data;
    },
  });
}

export function issuedBy(issuerId: string) {
  return ask({
    queryKey: ["markets", "of-issuer", issuerId],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/markets", { query: { issuerId, limit: LONGEST_PAGE }, signal })).data,
  });
}

/** Who registered it: whoever began its history. */
export function issuerOf(history: History): string | null {
  return history[0]?.actorId ?? null;
}
