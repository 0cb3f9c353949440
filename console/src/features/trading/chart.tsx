import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  LineStyle,
  TickMarkType,
  type AutoscaleInfo,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
} from "lightweight-charts";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { api } from "../../api/client.ts";
import { ask, type Pair } from "../../api/queries.ts";
import { placesOf } from "../../domain/decimal.ts";
import { inZone } from "../../domain/moment.ts";
import { grouped } from "../../domain/show.ts";
import { useCandles } from "../../live/hooks.ts";
import type { Candle, Interval } from "../../live/topics.ts";
import { useSession } from "../../state/session.ts";
import { useTheme } from "../../state/theme.ts";
import { coloursOf, drawn, merged, pixelPrice } from "./chart_data.ts";
import { ChartHandles } from "./chart_handles.tsx";
import { openOrders, type Order } from "./pairs.ts";

const AS_MANY = 499;
const VOLUME_SHARE = 0.2;
/** Orders of mine that are further away than this part of the price do not press the candles together. */
const NEAR = 0.05;
const DATE: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

interface Parts {
  readonly chart: IChartApi;
  readonly prices: ISeriesApi<"Candlestick">;
  readonly volumes: ISeriesApi<"Histogram">;
  /** The chart has been taken down, before those who draw on it have heard. */
  gone: boolean;
}

/** Candles with their volume, live, with my orders as lines. Loaded only where there is a chart to see. */
export default function Chart({ pair, interval }: { pair: Pair; interval: Interval }) {
  const place = useRef<HTMLDivElement>(null);
  const parts = useChart(place, pair);
  const candles = useHistory(pair.symbol, interval);
  useDrawing(parts, place, candles);
  const orders = useMyLines(parts, place, pair);
  const last = candles[candles.length - 1];
  const said = last
    ? `Chart of ${pair.symbol}, ${interval} candles. The last closed at ${last.close}, between ${last.low} and ${last.high}.`
    : `Chart of ${pair.symbol}: no trade yet.`;
  return (
    <div className="relative h-full min-h-60">
      <div ref={place} role="img" aria-label={said} className="absolute inset-0" data-candles={candles.length} />
      {parts && candles.length > 0 ? <ChartHandles parts={parts} pair={pair} orders={orders} /> : null}
      {candles.length === 0 ? <p className="absolute inset-0 grid place-items-center text-muted">No trade yet</p> : null}
    </div>
  );
}

function useChart(place: React.RefObject<HTMLDivElement | null>, pair: Pair): Parts | null {
  const [parts, setParts] = useState<Parts | null>(null);
  const places = placesOf(pair.tickSize);
  useEffect(() => {
    if (!place.current) return undefined;
    const chart = createChart(place.current, {
      autoSize: true,
      // The notice stands in the footer: the logo would inject a style, which the page's policy refuses.
      layout: { attributionLogo: false, background: { color: "transparent" }, fontSize: 11 },
      localization: {
        priceFormatter: (price: number) => grouped(price.toLocaleString("en", { useGrouping: false, minimumFractionDigits: places, maximumFractionDigits: places })),
        timeFormatter: (time: number) => inZone(new Date(time * 1000).toISOString()),
      },
      timeScale: {
        timeVisible: true,
        rightOffset: 6,
        tickMarkFormatter: (time: number, type: TickMarkType) => inZone(new Date(time * 1000).toISOString(), type < TickMarkType.Time ? DATE : CLOCK),
      },
      handleScale: { axisPressedMouseMove: true },
    });
    const prices = chart.addSeries(CandlestickSeries, { borderVisible: false, priceFormat: { type: "price", precision: places, minMove: pixelPrice(pair.tickSize) } });
    const volumes = chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false });
    volumes.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
    prices.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: VOLUME_SHARE + 0.05 } });
    const made: Parts = { chart, prices, volumes, gone: false };
    setParts(made);
    return () => {
      made.gone = true;
      setParts(null);
      chart.remove();
    };
  }, [place, pair.tickSize, places]);
  return parts;
}

/** What HTTP knows, and what the feed says since. */
function useHistory(market: string, interval: Interval): readonly Candle[] {
  const asked = useQuery(
    ask({
      queryKey: ["candles", market, interval],
      queryFn: async ({ signal }) =>
        (await api.get("/api/v1/trading/pairs/{id}/candles", { path: { id: market }, query: { interval, limit: AS_MANY }, signal })).data,
      staleTime: Infinity,
    }),
  );
  const [news, setNews] = useState<readonly Candle[]>([]);
  useEffect(() => setNews([]), [market, interval]);
  useCandles(market, interval, useCallback((told) => setNews((before) => merged(before, told)), []));
  return merged(asked.data ?? [], news);
}

function useDrawing(parts: Parts | null, place: React.RefObject<HTMLDivElement | null>, candles: readonly Candle[]): void {
  const theme = useTheme();
  const dark = useDark();
  useEffect(() => {
    if (!parts || !place.current) return;
    const colours = coloursOf(place.current);
    parts.chart.applyOptions({
      layout: { textColor: colours.text },
      grid: { vertLines: { color: colours.line }, horzLines: { color: colours.line } },
      rightPriceScale: { borderColor: colours.line },
      timeScale: { borderColor: colours.line },
    });
    parts.prices.applyOptions({ upColor: colours.up, downColor: colours.down, wickUpColor: colours.up, wickDownColor: colours.down });
    const shown = candles.map((candle) => drawn(candle, colours));
    parts.prices.setData(shown.map(({ candle }) => candle));
    parts.volumes.setData(shown.map(({ volume }) => volume));
  }, [parts, place, candles, theme, dark]);
}

function useDark(): boolean {
  const query = "(prefers-color-scheme: dark)";
  const [dark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => setDark(list.matches);
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, []);
  return dark;
}

const NONE: readonly Order[] = [];

function useMyLines(parts: Parts | null, place: React.RefObject<HTMLDivElement | null>, pair: Pair): readonly Order[] {
  const { session } = useSession();
  const mine = useQuery({ ...openOrders(session?.userId ?? "", pair.symbol), enabled: session !== null });
  const orders = session && mine.data ? mine.data : NONE;
  useEffect(() => {
    if (!parts || !place.current) return undefined;
    const colours = coloursOf(place.current);
    const lines: IPriceLine[] = orders.map((order) =>
      parts.prices.createPriceLine({
        price: pixelPrice(order.worstPrice),
        color: order.side === "BUY" ? colours.up : colours.down,
        lineStyle: LineStyle.Dashed,
        lineWidth: 1,
      }),
    );
    parts.prices.applyOptions({ autoscaleInfoProvider: showing(lines.map((line) => line.options().price)) });
    return () => {
      if (!parts.gone) for (const line of lines) parts.prices.removePriceLine(line);
    };
  }, [parts, place, orders]);
  return orders;
}

/** The scale of the candles, wide enough for my orders that are near. */
function showing(mine: readonly number[]) {
  return (usual: () => AutoscaleInfo | null): AutoscaleInfo | null => {
    const range = usual()?.priceRange;
    if (!range) return null;
    const near = mine.filter((price) => price > range.minValue * (1 - NEAR) && price < range.maxValue * (1 + NEAR));
    return { priceRange: { minValue: Math.min(range.minValue, ...near), maxValue: Math.max(range.maxValue, ...near) } };
  };
}
