/** What compliance asks of people and their records. */

import { allPages, LONGEST_PAGE } from "../../api/all_pages.ts";
import { api, type Schemas } from "../../api/client.ts";
import { ask, type Balance } from "../../api/queries.ts";

export type KycRecord = Schemas["RecordAnswer"];
export type Standing = Schemas["StandingAnswer"];
export type KycStatus = Schemas["KycStatus"];
export type Order = Schemas["OrderAnswer"];

const PAGES_AT_MOST = 20;
const OPEN = ["PENDING_MATCH", "OPEN", "PARTIAL"] as const;

export function standingOf(userId: string) {
  return ask({
    queryKey: ["standing", userId],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/compliance/{userId}", { path: { userId }, signal }),
  });
}

/** Tokens that are regulated, by id: records are of these. */
export const regulated = ask({
  queryKey: ["tokens", "regulated"],
  queryFn: async ({ signal }) => {
    const { data } = await api.get("/api/v1/tokens", { query: { type: "RWA", limit: LONGEST_PAGE }, signal });
    return new Map(data.map((token) => [token.id, token]));
  },
  staleTime: 30_000,
});

/** All records that end before a moment, those that have ended too, the earliest first. */
export function endingBefore(moment: string) {
  return ask({
    queryKey: ["compliance", "ending", moment],
    queryFn: async ({ signal }) => {
      const found = await allPages<KycRecord>(
        (following) => api.get("/api/v1/compliance/records", { query: { expiringBefore: moment, ...following }, signal }),
        PAGES_AT_MOST,
      );
      return found.sort((a, b) => (a.expiresAt ?? "").localeCompare(b.expiresAt ?? ""));
    },
  });
}

const SOON_DAYS = 14;

/** Approvals that end within two weeks and wait to be renewed: so many, or more. */
export const endingSoon = ask({
  queryKey: ["work", "ending"],
  queryFn: async ({ signal }) => {
    const until = new Date();
    until.setDate(until.getDate() + SOON_DAYS);
    const query = { status: "APPROVED", expiringBefore: until.toISOString(), limit: LONGEST_PAGE } as const;
    const { data, nextCursor } = await api.get("/api/v1/compliance/records", { query, signal });
    return { count: data.length, hasMore: nextCursor !== null };
  },
});

export interface Exposure {
  readonly orders: readonly Order[];
  readonly balances: readonly Balance[];
  readonly hasMoreOrders: boolean;
}

/** What a freeze would reach: orders that would end, and what could not be moved any more. */
export function exposureOf(userId: string) {
  return ask({
    queryKey: ["compliance", "exposure", userId],
    queryFn: async ({ signal }): Promise<Exposure> => {
      const asked = OPEN.map((status) =>
        api.get("/api/v1/trading/users/{userId}/orders", { path: { userId }, query: { status, limit: LONGEST_PAGE }, signal }),
      );
      const held = api.get("/api/v1/tokens/balances/{userId}", { path: { userId }, signal });
      const [balances, ...pages] = await Promise.all([held, ...asked]);
      return {
        orders: pages.flatMap(({ data }) => data),
        balances: balances.data.filter(({ total }) => total !== "0"),
        hasMoreOrders: pages.some(({ nextCursor }) => nextCursor !== null),
      };
    },
  });
}

export function rulesOf(tokenId: string) {
  return ask({
    queryKey: ["compliance", "rules", tokenId],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/{id}/rules", { path: { id: tokenId }, signal }),
  });
}

/** The asset behind a token as it was registered, with what its issuer proposed. */
export function assetOf(marketId: string) {
  return ask({
    queryKey: ["compliance", "asset", marketId],
    queryFn: ({ signal }) => api.get("/api/v1/markets/{id}/details", { path: { id: marketId }, signal }),
    staleTime: 60_000,
  });
}
