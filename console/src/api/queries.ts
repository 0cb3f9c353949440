/** Questions that more than one screen asks. A screen's own stand beside it. */

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useSession } from "../state/session.ts";
import { api, type Schemas } from "./client.ts";

export type Role = "issuer" | "compliance" | "operator" | "admin";
export type Market = Schemas["MarketAnswer"];
export type Pair = Schemas["PairAnswer"];
export type PairStats = Schemas["StatsAnswer"];
export type Me = Schemas["MeAnswer"];
export type Balance = Schemas["BalanceAnswer"];

/** What a query needs that a screen writes itself: a key that begins with its room, and the call. */
export const ask = queryOptions;

export const exchangeInfo = ask({
  queryKey: ["exchange-info"],
  queryFn: ({ signal }) => api.get("/api/v1/exchange-info", { signal }),
  staleTime: 60_000,
});

export const pairs = ask({
  queryKey: ["pairs"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/trading/pairs", { signal })).data,
  staleTime: 10_000,
});

export const allStats = ask({
  queryKey: ["stats"],
  queryFn: ({ signal }) => api.get("/api/v1/trading/stats", { signal }),
  refetchInterval: 5_000,
});

export const me = ask({
  queryKey: ["me"],
  queryFn: ({ signal }) => api.get("/api/v1/me", { signal }),
  staleTime: 30_000,
});

export function balancesOf(userId: string) {
  return ask({
    queryKey: ["balances", userId],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/tokens/balances/{userId}", { path: { userId }, signal })).data,
  });
}

/** Who is signed in here, and what they may do; `undefined` for nobody. */
export function useMe(): Me | undefined {
  const { standing } = useSession();
  const asked = useQuery({ ...me, enabled: standing === "signed-in" });
  return standing === "signed-in" ? asked.data : undefined;
}

export function hasRole(who: Me | undefined, ...roles: readonly Role[]): boolean {
  return roles.length === 0 || (who?.roles ?? []).some((role) => roles.includes(role as Role));
}
