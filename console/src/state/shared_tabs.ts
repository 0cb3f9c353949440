/**
 * A tab that was duplicated is the same sitting: both hold the session that one sign-in began. A refresh token counts
 * once, and using an old one ends the session, so the tabs take turns and tell each other what they got. Nothing is
 * written where it would outlive them: a lock says, as long as a tab lives, how new what it holds is.
 */

import { sessionExpired, sessions, signedIn, type Session } from "./session.ts";

const NAME = "deedbook.sitting";
const ANSWER_MS = 3_000;

type Told =
  | { readonly kind: "renewed"; readonly session: Session }
  | { readonly kind: "asked"; readonly sitting: string; readonly turn: number }
  | { readonly kind: "ended"; readonly sitting: string };

const channel = new BroadcastChannel(NAME);

function say(told: Told): void {
  channel.postMessage(told);
}

/** What this tab holds, where it is of this sitting. */
function ours(sitting: string): Session | null {
  const { standing, session } = sessions.get();
  return standing === "signed-in" && session?.sitting === sitting ? session : null;
}

channel.addEventListener("message", ({ data }: MessageEvent<Told>) => {
  if (data.kind === "renewed") {
    const held = ours(data.session.sitting);
    if (held && data.session.turn > held.turn) signedIn(data.session);
    return;
  }
  const held = ours(data.sitting);
  if (!held) return;
  if (data.kind === "ended") sessionExpired();
  else if (held.turn > data.turn) say({ kind: "renewed", session: held });
});

/** The person has signed out: the tabs made from this one know at once, and keep what was typed there. */
export function tellEnded(sitting: string): void {
  say({ kind: "ended", sitting });
}

/**
 * Have the refresh token exchanged by one tab of the sitting at a time; whoever comes after gets what that one got.
 * Where the browser has no locks, as on an address without TLS, each tab is by itself.
 */
export async function inTurn(session: Session, exchange: (held: Session) => Promise<Session | null>): Promise<Session | null> {
  if (!("locks" in navigator)) return exchange(session);
  return navigator.locks.request(`${NAME} ${session.sitting}`, async () => {
    const newest = await newestOf(session);
    if (newest.turn > session.turn) return newest;
    const renewed = await exchange(session);
    if (renewed) {
      await hold(renewed);
      say({ kind: "renewed", session: renewed });
    }
    return renewed;
  });
}

async function newestOf(session: Session): Promise<Session> {
  const held = ours(session.sitting);
  if (held && held.turn > session.turn) return held;
  if (!(await isNewerElsewhere(session))) return session;
  return new Promise((resolve) => {
    const settle = (found: Session): void => {
      clearTimeout(timer);
      stop();
      resolve(found);
    };
    // Whoever holds it may be closing just now: then nobody has it any more.
    const timer = setTimeout(() => settle(session), ANSWER_MS);
    const stop = sessions.subscribe(() => {
      const now = ours(session.sitting);
      if (now && now.turn > session.turn) settle(now);
    });
    say({ kind: "asked", sitting: session.sitting, turn: session.turn });
  });
}

function turnLock({ sitting, turn }: Session): string {
  return `${NAME} ${sitting} turn ${turn}`;
}

async function isNewerElsewhere(session: Session): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  const stem = turnLock(session).slice(0, -String(session.turn).length);
  return held.some(({ name = "" }) => name.startsWith(stem) && BigInt(name.slice(stem.length)) > BigInt(session.turn));
}

let holding: { readonly name: string; readonly release: () => void; readonly granted: Promise<void> } | null = null;

/** Show the other tabs, by a lock that ends with this one, which turn is held here. */
function hold(session: Session): Promise<void> {
  const name = turnLock(session);
  if (holding?.name === name) return holding.granted;
  holding?.release();
  let release = (): void => undefined;
  const ended = new Promise<void>((resolve) => (release = resolve));
  const granted = new Promise<void>((resolve) => {
    void navigator.locks.request(name, { mode: "shared" }, () => {
      resolve();
      return ended;
    });
  });
  holding = { name, release, granted };
  return granted;
}

function follow(): void {
  const { standing, session } = sessions.get();
  if (standing === "signed-in" && session) void hold(session);
  else {
    holding?.release();
    holding = null;
  }
}

if ("locks" in navigator) {
  follow();
  sessions.subscribe(follow);
}
