/** What is heard, one class for each way of being told: the newest state of something, or every event once. */

import type { Schemas } from "../api/client.ts";
import type { Level } from "../domain/checksum.ts";
import { applied, BookOutOfStep, type Book } from "../domain/live_book.ts";
import { createStore, type Store } from "../state/store.ts";

export interface FeedMessage {
  readonly type: string;
  readonly id?: number | null;
  readonly channel?: string;
  readonly market?: string | null;
  readonly interval?: string;
  readonly prevSeq?: number | null;
  readonly seq?: number;
  readonly ts?: string;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly checksum?: number;
  readonly trades?: readonly Trade[];
  readonly candles?: readonly Candle[];
  readonly balances?: readonly Schemas["BalanceAnswer"][];
  readonly eventType?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly reconnectAfterMs?: number;
}

export type Trade = Schemas["PublicTrade"];
export type Candle = Schemas["CandleAnswer"];
export type Interval = "1m" | "5m" | "15m" | "1h" | "4h" | "1d";

export interface Topic {
  readonly key: string;
  readonly isPrivate: boolean;
  wish(): Readonly<Record<string, unknown>>;
  hears(message: FeedMessage): boolean;
  /** Whether it is in step; where it is not, it wants to be subscribed again. */
  take(message: FeedMessage): boolean;
}

abstract class OfPair implements Topic {
  readonly isPrivate = false;

  constructor(
    readonly channel: string,
    readonly market: string,
  ) {}

  get key(): string {
    return `${this.channel} ${this.market}`;
  }

  wish(): Readonly<Record<string, unknown>> {
    return { channel: this.channel, market: this.market };
  }

  hears(message: FeedMessage): boolean {
    return message.channel === this.channel && message.market === this.market && message.type !== "subscribed";
  }

  abstract take(message: FeedMessage): boolean;
}

export class BookTopic extends OfPair {
  readonly store: Store<Book | null> = createStore<Book | null>(null);

  constructor(market: string) {
    super("book", market);
  }

  take(message: FeedMessage): boolean {
    try {
      this.store.set(applied(this.store.get(), message as never));
      return true;
    } catch (error) {
      if (!(error instanceof BookOutOfStep)) throw error;
      this.store.set(null);
      return false;
    }
  }
}

const TAPE_LENGTH = 100;

/** The last trades, the newest first. Their `seq` has no gap, so one that came twice is known. */
export class TapeTopic extends OfPair {
  readonly store: Store<readonly Trade[] | null> = createStore<readonly Trade[] | null>(null);

  constructor(market: string) {
    super("trades", market);
  }

  take(message: FeedMessage): boolean {
    this.store.set((before) => {
      const known = before?.[0]?.seq ?? 0;
      const news = (message.trades ?? []).filter(({ seq }) => seq > known).reverse();
      return before !== null && news.length === 0 ? before : [...news, ...(before ?? [])].slice(0, TAPE_LENGTH);
    });
    return true;
  }
}

export interface Ticker {
  readonly last: string | null;
  readonly bestBid: string | null;
  readonly bestAsk: string | null;
  readonly stats: Schemas["StatsAnswer"] | null;
  readonly reference: Schemas["ReferenceAnswer"] | null;
}

export class TickerTopic extends OfPair {
  readonly store: Store<Ticker | null> = createStore<Ticker | null>(null);

  constructor(market: string) {
    super("ticker", market);
  }

  take(message: FeedMessage): boolean {
    this.store.set(message as unknown as Ticker);
    return true;
  }
}

/** Candles are told to whoever draws them, each again when it has changed. */
export class CandlesTopic extends OfPair {
  constructor(
    market: string,
    readonly interval: Interval,
    readonly told: (candles: readonly Candle[], whole: boolean) => void,
  ) {
    super("candles", market);
  }

  override get key(): string {
    return `${super.key} ${this.interval}`;
  }

  override wish(): Readonly<Record<string, unknown>> {
    return { ...super.wish(), interval: this.interval };
  }

  override hears(message: FeedMessage): boolean {
    return super.hears(message) && message.interval === this.interval;
  }

  take(message: FeedMessage): boolean {
    this.told(message.candles ?? [], message.type === "snapshot");
    return true;
  }
}

/** What happens to mine, or how the installation works: each message once, from where the last connection ended. */
export class EventsTopic implements Topic {
  readonly isPrivate = true;
  private seq: number | undefined;

  constructor(
    readonly channel: "orders" | "fills" | "settlements" | "balances" | "ops",
    readonly told: (message: FeedMessage) => void,
  ) {}

  get key(): string {
    return this.channel;
  }

  wish(): Readonly<Record<string, unknown>> {
    const resumes = this.channel !== "balances" && this.channel !== "ops" && this.seq !== undefined;
    return { channel: this.channel, ...(resumes ? { fromSeq: this.seq } : {}) };
  }

  hears(message: FeedMessage): boolean {
    return message.channel === this.channel;
  }

  take(message: FeedMessage): boolean {
    if (message.seq !== undefined) this.seq = message.seq;
    if (message.type !== "subscribed" && message.type !== "unsubscribed") this.told(message);
    return true;
  }
}

/** The public events of markets' lives. */
export class MarketsTopic implements Topic {
  readonly key = "markets";
  readonly isPrivate = false;

  constructor(readonly told: (message: FeedMessage) => void) {}

  wish(): Readonly<Record<string, unknown>> {
    return { channel: "markets" };
  }

  hears(message: FeedMessage): boolean {
    return message.channel === "markets";
  }

  take(message: FeedMessage): boolean {
    if (message.type === "event") this.told(message);
    return true;
  }
}
