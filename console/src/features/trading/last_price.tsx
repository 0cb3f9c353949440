import type { Pair } from "../../api/queries.ts";
import { compare, placesOf } from "../../domain/decimal.ts";
import { fixed } from "../../domain/show.ts";
import { useTape } from "../../live/hooks.ts";
import { classes } from "../../ui/index.ts";

/** What was paid last, and by an arrow whether that was more or less than the price before it. */
export function LastPrice({ pair, className, unit }: { pair: Pair; className?: string; unit?: string }) {
  const tape = useTape(pair.symbol);
  const last = tape?.[0];
  const before = tape?.find(({ price }) => last && compare(price, last.price) !== 0);
  const change = last && before ? compare(last.price, before.price) : 0;
  return (
    <span className={classes("figures whitespace-nowrap", change > 0 ? "text-up" : change < 0 ? "text-down" : "text-text", className)} data-last-price={change}>
      {last ? fixed(last.price, placesOf(pair.tickSize)) : "–"}
      {unit && last ? <span className="text-muted"> {unit}</span> : null}
      <span aria-hidden="true">{change > 0 ? " ↑" : change < 0 ? " ↓" : ""}</span>
      <span className="sr-only">{change > 0 ? ", up" : change < 0 ? ", down" : last ? "" : "not traded yet"}</span>
    </span>
  );
}
