import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { compare } from "../../domain/decimal.ts";
import { grouped } from "../../domain/show.ts";
import { sparkPoints, sparkPrices } from "../../domain/sparkline.ts";
import { classes, Nothing } from "../../ui/index.ts";
import { useSeen } from "./seen.ts";

const HOURS = 24;
const DAY_MS = 86_400_000;
const STALE_MS = 60_000;

function lastDay(pair: string) {
  return ask({
    queryKey: ["candles", pair, "last day"],
    queryFn: async ({ signal }) => {
      const query = { interval: "1h", limit: HOURS } as const;
      return (await api.get("/api/v1/trading/pairs/{id}/candles", { path: { id: pair }, query, signal })).data;
    },
    staleTime: STALE_MS,
    refetchInterval: STALE_MS,
  });
}

/** The last day as a line. Asked for when its row comes into sight, and not before. */
export function Sparkline({ pair }: { pair: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const asked = useQuery({ ...lastDay(pair), enabled: useSeen(place) });
  const prices = sparkPrices(asked.data ?? [], new Date(Date.now() - DAY_MS));
  return (
    <span ref={place} className="inline-flex h-7 w-24 items-center" data-spark={pair}>
      {prices.length > 0 ? <Line prices={prices} /> : asked.data ? <Nothing said="not traded in 24 hours" /> : null}
    </span>
  );
}

function Line({ prices }: { prices: readonly string[] }) {
  const [first = "0", last = "0"] = [prices[0], prices[prices.length - 1]];
  const change = compare(last, first);
  return (
    <svg
      role="img"
      aria-label={`24 hours: from ${grouped(first)} to ${grouped(last)}`}
      viewBox="-20 -60 1040 1120"
      preserveAspectRatio="none"
      className={classes("h-full w-full", change > 0 ? "text-up" : change < 0 ? "text-down" : "text-muted")}
    >
      <polyline points={sparkPoints(prices)} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
