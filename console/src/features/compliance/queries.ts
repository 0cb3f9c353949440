/** What compliance asks of people and their records. */

import { infiniteQueryOptions } from "@tanstack/react-query";
import { LONGEST_PAGE } from "../../api/all_pages.ts";
import { api, type Schemas } from "../../api/client.ts";
import { ask, type Balance } from "../../api/queries.ts";

export type KycRecord = Schemas["RecordAnswer"];
export type Standing = Schemas["StandingAnswer"];
export type KycStatus = Schemas["KycStatus"];
export type Order = Schemas["OrderAnswer"];

/** The version of a record that is not there yet: whoever writes the first one must not meet another's. */
export const NO_RECORD = 0;
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

/** Approvals that end before a moment, the earliest first, page by page. */
export function endingBefore(moment: string) {
  return infiniteQueryOptions({
    queryKey: ["compliance", "ending", moment],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { status: "APPROVED", expiringBefore: moment, ...(pageParam ? { cursor: pageParam } : {}) } as const;
      return api.get("/api/v1/compliance/records", { query, signal });
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
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

export interface OpenOrders {
  readonly orders: readonly Order[];
  /** There are others that were not asked for. */
  readonly hasMore: boolean;
}

async function openOrders(userId: string, signal: AbortSignal, pair?: string): Promise<OpenOrders> {
  const pages = await Promise.all(
    OPEN.map((status) => {
      const query = { status, limit: LONGEST_PAGE, ...(pair ? { tradingPairId: pair } : {}) };
      return api.get("/api/v1/trading/users/{userId}/orders", { path: { userId }, query, signal });
    }),
  );
  return { orders: pages.flatMap(({ data }) => data), hasMore: pages.some(({ nextCursor }) => nextCursor !== null) };
}

/** A user's open orders on these pairs. Each is asked by itself: orders on others must not stand in the place of these. */
export function openOrdersOn(userId: string, pairs: readonly string[]) {
  return ask({
    queryKey: ["compliance", "open-orders", userId, pairs],
    queryFn: async ({ signal }): Promise<OpenOrders> => {
      const found = await Promise.all(pairs.map((pair) => openOrders(userId, signal, pair)));
      return { orders: found.flatMap(({ orders }) => orders), hasMore: found.some(({ hasMore }) => hasMore) };
    },
    staleTime: 0,
  });
}

export interface Exposure {
  readonly open: OpenOrders;
  readonly balances: readonly Balance[];
}

/** What a freeze would reach: orders that would end, and what could not be moved any more. */
export function exposureOf(userId: string) {
  return ask({
    queryKey: ["compliance", "exposure", userId],
    queryFn: async ({ signal }): Promise<Exposure> => {
      const held = api.get("/api/v1/tokens/balances/{userId}", { path: { userId }, signal });
      const [{ data }, open] = await Promise.all([held, openOrders(userId, signal)]);
      return { open, balances: data.filter(({ total }) => total !== "0") };
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
