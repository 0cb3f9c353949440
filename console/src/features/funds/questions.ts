/** What is asked where money enters and leaves. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, type DependencyList } from "react";
import { api, newKey } from "../../api/client.ts";
import { ask, exchangeInfo } from "../../api/queries.ts";

const SOON_MS = 2_000;
const LATER_MS = 15_000;
const DEPOSIT_OVER = ["CREDITED", "FAILED", "EXPIRED"];
const WITHDRAWAL_OVER = ["COMPLETED", "REJECTED", "FAILED", "CANCELLED"];

export function depositIsOver(status: string): boolean {
  return DEPOSIT_OVER.includes(status);
}

export function withdrawalIsOver(status: string): boolean {
  return WITHDRAWAL_OVER.includes(status);
}

/** Tokens that the vault takes. */
export const keptTokens = ask({
  queryKey: ["tokens", "kept"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/tokens", { query: { status: "active", limit: 200 }, signal })).data,
  staleTime: 30_000,
});

export const myDeposits = ask({
  queryKey: ["ledger", "deposits"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/deposits", { query: { limit: 50 }, signal })).data,
  refetchInterval: (query) => (query.state.data?.some(({ status }) => !depositIsOver(status)) ? SOON_MS : LATER_MS),
});

/** One of them, from its announcement until it is over. */
export function oneDeposit(id: string) {
  return ask({
    queryKey: ["ledger", "deposit", id],
    queryFn: ({ signal }) => api.get("/api/v1/deposits/{id}", { path: { id }, signal }),
    refetchInterval: (query) => (query.state.data && depositIsOver(query.state.data.status) ? false : SOON_MS),
  });
}

/** What a deposit of a token starts from: what the wallet has of it, and how the vault may be let take it. */
export function depositTerms(account: string, tokenId: string) {
  return ask({
    queryKey: ["deposit-terms", account, tokenId],
    queryFn: ({ signal }) => api.get("/api/v1/deposits/terms/{tokenId}", { path: { tokenId }, signal }),
    refetchInterval: LATER_MS,
  });
}

export const myWithdrawals = ask({
  queryKey: ["ledger", "withdrawals"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/withdrawals", { query: { limit: 200 }, signal })).data,
  refetchInterval: (query) => (query.state.data?.some(({ status }) => !withdrawalIsOver(status)) ? SOON_MS : LATER_MS),
});

/** How much of a token may leave in a day, and how much of that is used up. It changes with the withdrawals. */
export function limitsOf(tokenId: string) {
  return ask({
    queryKey: ["ledger", "limits", tokenId],
    queryFn: ({ signal }) => api.get("/api/v1/withdrawals/limits/{tokenId}", { path: { tokenId }, signal }),
    refetchInterval: LATER_MS,
  });
}

export const destinations = ask({
  queryKey: ["destinations"],
  queryFn: ({ signal }) => api.get("/api/v1/withdrawals/addresses", { signal }),
});

const LASTS_S = 3600;

/** What makes a signed intention one of its own. */
interface Intention {
  readonly nonce: string;
  /** When its signature stops counting, in whole seconds. */
  readonly expiry: number;
}

/**
 * One intention for as long as it is `about` the same: what is signed again after a lost answer is the same, and the server
 * knows it. It ends by the platform's clock: a reader's own may be wrong by hours.
 */
export function useIntention(about: DependencyList): Intention {
  const { data, dataUpdatedAt } = useQuery(exchangeInfo);
  const aheadMs = data ? new Date(data.serverTime).getTime() - dataUpdatedAt : 0;
  return useMemo(() => ({ nonce: newKey(), expiry: Math.floor((Date.now() + aheadMs) / 1000) + LASTS_S }), [data === undefined, ...about]);
}
