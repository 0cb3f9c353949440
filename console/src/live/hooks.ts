/** Live data for screens. What is shared by a key is subscribed once, however many parts of the screen look at it. */

import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { Book } from "../domain/live_book.ts";
import type { Store } from "../state/store.ts";
import { useStore } from "../state/store.ts";
import type { ConnectionState } from "../ui/connection_badge.tsx";
import { feedState, hear } from "./feed.ts";
import { BookTopic, CandlesTopic, EventsTopic, MarketsTopic, TapeTopic, TickerTopic } from "./topics.ts";
import type { Candle, FeedMessage, Interval, Ticker, Topic, Trade } from "./topics.ts";

interface Kept<T> {
  readonly topic: Topic & { readonly store: Store<T> };
  users: number;
  stop: (() => void) | null;
}

const kept = new Map<string, Kept<unknown>>();
const LINGER_MS = 1_000;

/** A topic that several may look at; it ends a moment after the last has looked away. */
function useShared<T>(key: string, make: () => Topic & { readonly store: Store<T> }): T {
  const entry = useMemo(() => {
    const known = kept.get(key) as Kept<T> | undefined;
    if (known) return known;
    const made: Kept<T> = { topic: make(), users: 0, stop: null };
    kept.set(key, made as Kept<unknown>);
    return made;
    // `make` makes the same for the same key.
  }, [key]);
  useEffect(() => {
    entry.users += 1;
    kept.set(key, entry as Kept<unknown>);
    entry.stop ??= hear(entry.topic);
    return () => {
      entry.users -= 1;
      setTimeout(() => {
        if (entry.users > 0 || entry.stop === null) return;
        entry.stop();
        entry.stop = null;
        if (kept.get(key) === (entry as Kept<unknown>)) kept.delete(key);
      }, LINGER_MS);
    };
  }, [entry, key]);
  return useSyncExternalStore(entry.topic.store.subscribe, entry.topic.store.get);
}

export function useBook(market: string): Book | null {
  return useShared(`book ${market}`, () => new BookTopic(market));
}

export function useTape(market: string): readonly Trade[] | null {
  return useShared(`trades ${market}`, () => new TapeTopic(market));
}

export function useTicker(market: string): Ticker | null {
  return useShared(`ticker ${market}`, () => new TickerTopic(market));
}

/** Tells candles to whoever draws them. `told` must stay the same. */
export function useCandles(market: string, interval: Interval, told: (candles: readonly Candle[], whole: boolean) => void): void {
  useEffect(() => hear(new CandlesTopic(market, interval, told)), [market, interval, told]);
}

/** Hears a private channel, or that of operators, as long as the screen stands. `told` must stay the same. */
export function useEvents(
  channel: "orders" | "fills" | "settlements" | "balances" | "ops",
  told: (message: FeedMessage) => void,
  enabled = true,
): void {
  useEffect(() => (enabled ? hear(new EventsTopic(channel, told)) : undefined), [channel, told, enabled]);
}

/** Hears what becomes of markets. `told` must stay the same. */
export function useMarketEvents(told: (message: FeedMessage) => void): void {
  useEffect(() => hear(new MarketsTopic(told)), [told]);
}

export function useConnectionState(): ConnectionState {
  return useStore(feedState);
}
