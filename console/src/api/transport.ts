/** One request: sent with the session's token, refreshed once where that has ended, refused with a typed problem. */

import { sessionExpired, sessions, signedIn, type Session } from "../state/session.ts";
import { inTurn } from "../state/shared_tabs.ts";
import { offline, problemOf } from "./problem.ts";

export const PREFIX = "/api/v1";
const EARLY_MS = 5_000;

export interface Wire {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * @throws ApiProblem whatever went wrong. Requests that nobody may repeat blindly carry an Idempotency-Key or a signed
 *   nonce, so that sending them again after a refresh is harmless.
 */
export async function send(wire: Wire): Promise<Response> {
  const session = await current();
  const response = await attempt(wire, session);
  if (response.status === 401 && session) {
    const renewed = await following(session);
    if (renewed) return settled(await attempt(wire, renewed));
  }
  return settled(response);
}

/** What came after these tokens: another tab may have renewed them meanwhile; another sign-in is somebody else's. */
async function following(session: Session): Promise<Session | null> {
  const { standing, session: now } = sessions.get();
  if (standing !== "signed-in" || now?.sitting !== session.sitting) return null;
  return now.turn > session.turn ? now : renew(session);
}

async function settled(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await problemOf(response);
}

async function attempt(wire: Wire, session: Session | null): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...wire.headers };
  if (wire.body !== undefined) headers["Content-Type"] = "application/json";
  if (session) headers["Authorization"] = `Bearer ${session.accessToken}`;
  const init: RequestInit = { method: wire.method, headers, cache: "no-store" };
  if (wire.body !== undefined) init.body = JSON.stringify(wire.body);
  if (wire.signal) init.signal = wire.signal;
  try {
    return await fetch(wire.path, init);
  } catch (error) {
    if (wire.signal?.aborted) throw error;
    throw offline();
  }
}

async function current(): Promise<Session | null> {
  const { standing, session } = sessions.get();
  if (standing !== "signed-in" || !session) return null;
  return Date.now() < session.expiresAt - EARLY_MS ? session : renew(session);
}

let renewing: Promise<Session | null> | null = null;

/** A refresh token counts once: whoever asks meanwhile, in this tab or in one made from it, gets the same answer. */
export function renew(session: Session): Promise<Session | null> {
  renewing ??= inTurn(session, exchange).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(session: Session): Promise<Session | null> {
  const wire = { method: "POST", path: `${PREFIX}/auth/refresh`, body: { refreshToken: session.refreshToken } };
  const response = await attempt(wire, null);
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 || problem.status === 422) {
      sessionExpired();
      return null;
    }
    throw problem;
  }
  const told = (await response.json()) as { accessToken: string; refreshToken: string; expiresIn: number };
  const renewed = { ...session, ...credentials(told), turn: session.turn + 1 };
  signedIn(renewed);
  return renewed;
}

export function credentials(told: { accessToken: string; refreshToken: string; expiresIn: number }): {
  accessToken: string;
  refreshToken: string;
  expiresAt: number;
} {
  return {
    accessToken: told.accessToken,
    refreshToken: told.refreshToken,
    expiresAt: Date.now() + told.expiresIn * 1000,
  };
}
