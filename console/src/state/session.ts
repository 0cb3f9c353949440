/**
 * Who is signed in, in this tab alone: two tabs may be two people. Tokens live in the tab's session storage, so that a
 * reload keeps them and closing the tab forgets them. The browser copies them into a tab that is duplicated; see
 * `shared_tabs.ts`. The account's key never comes near: it stays in the wallet.
 */

import { createStore, useStore } from "./store.ts";

export interface Session {
  readonly userId: string;
  readonly account: string;
  /** Which wallet signs, by the name it announces itself with (`rdns`). */
  readonly walletId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Epoch milliseconds after which the access token is no longer sent. */
  readonly expiresAt: number;
  /** One sign-in, in all tabs that were made from the one where it was. */
  readonly sitting: string;
  /** How often its tokens were renewed. */
  readonly turn: number;
}

export type Standing = "signed-out" | "signed-in" | "expired";

export interface SessionState {
  readonly standing: Standing;
  /** Kept when it has expired, so that the same person can come back to the same form. */
  readonly session: Session | null;
}

const KEY = "deedbook.session";

export const sessions = createStore<SessionState>(remembered());

function remembered(): SessionState {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    if (!kept) return { standing: "signed-out", session: null };
    const session = { ...kept, sitting: kept.sitting ?? crypto.randomUUID(), turn: kept.turn ?? 0 };
    sessionStorage.setItem(KEY, JSON.stringify(session));
    return { standing: "signed-in", session };
  } catch {
    return { standing: "signed-out", session: null };
  }
}

export function signedIn(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
  sessions.set({ standing: "signed-in", session });
}

export function signedOut(): void {
  sessionStorage.removeItem(KEY);
  sessions.set({ standing: "signed-out", session: null });
}

export function sessionExpired(): void {
  sessionStorage.removeItem(KEY);
  sessions.set((before) => ({ standing: before.session ? "expired" : "signed-out", session: before.session }));
}

export function useSession(): SessionState {
  return useStore(sessions);
}
