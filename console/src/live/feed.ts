/**
 * One socket for the whole page, opened when the first topic is heard and again whenever it ends; every topic is
 * subscribed again where it was. Whether what one sees is now, is told apart: silence is not the same as no news.
 */

import { renew } from "../api/transport.ts";
import { sessions } from "../state/session.ts";
import { createStore } from "../state/store.ts";
import type { ConnectionState } from "../ui/connection_badge.tsx";
import type { FeedMessage, Topic } from "./topics.ts";

/** Heartbeats come every second: after so long without anything the line is taken for cut. */
const SILENCE_MS = 5_000;
const DELAYED_MS = 2_500;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
const SESSION_OVER = 4401;
const AUTH_ID = 0;

export const feedState = createStore<ConnectionState>({ kind: "offline" });

const topics = new Set<Topic>();
const waiting = new Map<number, Topic>();
let socket: WebSocket | null = null;
let lastId = AUTH_ID;
let pauseMs = FIRST_PAUSE_MS;
let askedPauseMs: number | null = null;
let heardAt = 0;
let timer: ReturnType<typeof setTimeout> | null = null;
let saysWho = false;

/** Hear a topic until the answer is called. Several may hear the same. */
export function hear(topic: Topic): () => void {
  topics.add(topic);
  if (socket === null && timer === null) open();
  else if (socket?.readyState === WebSocket.OPEN) subscribe(topic);
  return () => {
    topics.delete(topic);
    const shared = [...topics].some(({ key }) => key === topic.key);
    if (!shared) say({ op: "unsubscribe", ...topic.wish(), fromSeq: undefined });
    if (topics.size === 0) close();
  };
}

function open(): void {
  timer = null;
  const address = new URL("/api/v1/ws", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const made = new WebSocket(address);
  socket = made;
  saysWho = false;
  waiting.clear();
  heardAt = Date.now();
  made.onopen = () => {
    for (const topic of topics) subscribe(topic);
  };
  made.onmessage = (event) => {
    heardAt = Date.now();
    pauseMs = FIRST_PAUSE_MS;
    feedState.set((before) => (before.kind === "live" ? before : { kind: "live" }));
    take(JSON.parse(event.data as string) as FeedMessage);
  };
  made.onclose = (event) => {
    if (socket !== made) return;
    socket = null;
    feedState.set({ kind: "offline" });
    void comeBack(event.code);
  };
}

async function comeBack(code: number): Promise<void> {
  const { session } = sessions.get();
  if (code === SESSION_OVER && session) await renew(session).catch(() => null);
  if (topics.size === 0 || timer !== null) return;
  timer = setTimeout(open, askedPauseMs ?? pauseMs);
  askedPauseMs = null;
  pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
}

function close(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  const ended = socket;
  socket = null;
  if (ended) end(ended);
}

/** One that is still being opened is closed when it is: browsers complain otherwise. */
function end(ended: WebSocket): void {
  ended.onclose = null;
  if (ended.readyState === WebSocket.CONNECTING) ended.onopen = () => ended.close();
  else ended.close();
}

function reopen(): void {
  const ended = socket;
  if (!ended) return;
  socket = null;
  end(ended);
  void comeBack(0);
}

function subscribe(topic: Topic): void {
  if (topic.isPrivate && !introduce()) return;
  lastId += 1;
  waiting.set(lastId, topic);
  say({ ...topic.wish(), op: "subscribe", id: lastId });
}

/** Say who one is, once a connection, before the first private topic. */
function introduce(): boolean {
  if (saysWho) return true;
  const { standing, session } = sessions.get();
  if (standing !== "signed-in" || !session) return false;
  say({ op: "auth", id: AUTH_ID, token: session.accessToken });
  saysWho = true;
  return true;
}

function say(message: Readonly<Record<string, unknown>>): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function take(message: FeedMessage): void {
  if (message.type === "serverShutdown") askedPauseMs = message.reconnectAfterMs ?? null;
  else if (message.type === "error") refused(message);
  else if (message.channel !== undefined) tell(message);
}

function refused(message: FeedMessage): void {
  if (message.id === AUTH_ID) {
    // The token has run out: the next connection has another.
    const { session } = sessions.get();
    if (session) void renew(session).catch(() => null).finally(reopen);
    return;
  }
  const topic = message.id === undefined ? undefined : waiting.get(message.id ?? -1);
  if (topic) topics.delete(topic);
}

function tell(message: FeedMessage): void {
  for (const topic of topics) {
    if (!topic.hears(message)) continue;
    // Out of step: the next snapshot mends it.
    if (!topic.take(message)) subscribe(topic);
  }
}

/** Looks once a second whether anything was heard, and cuts a line that has gone silent. */
setInterval(() => {
  if (socket === null) return;
  const silentMs = Date.now() - heardAt;
  if (silentMs > SILENCE_MS) {
    feedState.set({ kind: "offline" });
    reopen();
  } else if (silentMs > DELAYED_MS) {
    feedState.set({ kind: "delayed", seconds: Math.floor(silentMs / 1000) });
  }
}, 1_000);

/** Somebody else is signed in: what is private is heard anew. */
let account = sessions.get().session?.userId;
sessions.subscribe(() => {
  const now = sessions.get().session?.userId;
  if (now === account) return;
  account = now;
  reopen();
});
