/** Candles as the chart draws them. Here, and nowhere else, prices become numbers: for the place of a pixel. */

import type { CandlestickData, HistogramData, UTCTimestamp } from "lightweight-charts";
import { isAmount, isPositive, placesOf, toStep, type Decimal } from "../../domain/decimal.ts";
import type { Candle } from "../../live/topics.ts";

export interface Drawn {
  readonly candle: CandlestickData<UTCTimestamp>;
  readonly volume: HistogramData<UTCTimestamp>;
}

export interface Colours {
  readonly up: string;
  readonly down: string;
  readonly upSoft: string;
  readonly downSoft: string;
  readonly text: string;
  readonly line: string;
  readonly accent: string;
}

export function drawn(candle: Candle, colours: Colours): Drawn {
  const time = (new Date(candle.openedAt).getTime() / 1000) as UTCTimestamp;
  const [open, high, low, close] = [candle.open, candle.high, candle.low, candle.close].map((text) => Number(text)) as [number, number, number, number];
  return {
    candle: { time, open, high, low, close },
    volume: { time, value: Number(candle.volume), color: close >= open ? colours.up : colours.down },
  };
}

export function pixelPrice(price: string): number {
  return Number(price);
}

/** The price of a place on the canvas, in whole ticks. */
export function priceAt(pixel: number, tick: Decimal): Decimal | null {
  const text = pixel.toLocaleString("en", { useGrouping: false, maximumFractionDigits: placesOf(tick) });
  if (!isAmount(text)) return null;
  const price = toStep(text, tick, "down");
  return isPositive(price) ? price : null;
}

/** Candles by when they opened, the oldest first; a later one of the same moment counts. */
export function merged(known: readonly Candle[], news: readonly Candle[]): Candle[] {
  const byMoment = new Map([...known, ...news].map((candle) => [candle.openedAt, candle]));
  return [...byMoment.values()].sort((a, b) => a.openedAt.localeCompare(b.openedAt));
}

const TOKENS = { up: "--up", down: "--down", upSoft: "--up-soft", downSoft: "--down-soft", text: "--muted", line: "--line", accent: "--accent" } as const;

/** The tokens of the present theme, as a canvas understands them. */
export function coloursOf(place: HTMLElement): Colours {
  const probe = document.createElement("span");
  place.append(probe);
  const found = Object.entries(TOKENS).map(([name, token]) => {
    probe.style.color = `var(${token})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(found) as unknown as Colours;
}
