import type { Pair } from "../../api/queries.ts";
import { placesOf } from "../../domain/decimal.ts";
import { fixed } from "../../domain/show.ts";
import { useConnectionState, useTape } from "../../live/hooks.ts";
import { classes, EmptyState, Quantity, SkeletonRows, Time } from "../../ui/index.ts";

const ROWS = 40;

/** The pair's last trades, the newest first. */
export function Tape({ pair, height }: { pair: Pair; height?: number }) {
  const trades = useTape(pair.symbol);
  const stale = useConnectionState().kind !== "live";
  if (trades === null) return <SkeletonRows label="Trades are on their way" />;
  if (trades.length === 0) return <EmptyState title="No trade yet">The first one sets the price.</EmptyState>;
  return (
    <div className={classes("max-h-80 overflow-y-auto", stale && "opacity-45 grayscale")} style={height ? { height, maxHeight: height } : undefined} tabIndex={0} role="region" aria-label="Recent trades">
      <table className="w-full text-[13px]">
        <caption className="sr-only">Recent trades</caption>
        <thead className="text-[12px] text-muted">
          <tr>
            <th scope="col" className="px-3 py-1 text-left font-normal">Price</th>
            <th scope="col" className="px-3 py-1 text-right font-normal">Size</th>
            <th scope="col" className="px-3 py-1 text-right font-normal">Time</th>
          </tr>
        </thead>
        <tbody>
          {trades.slice(0, ROWS).map((trade) => (
            <tr key={trade.seq}>
              <td className={classes("figures px-3 py-px", trade.takerSide === "BUY" ? "text-up" : "text-down")}>
                <span aria-hidden="true">{trade.takerSide === "BUY" ? "↑ " : "↓ "}</span>
                <span className="sr-only">{trade.takerSide === "BUY" ? "bought" : "sold"}</span>
                {fixed(trade.price, placesOf(pair.tickSize))}
              </td>
              <td className="px-3 py-px text-right">
                <Quantity value={trade.quantity} places={4} />
              </td>
              <td className="px-3 py-px text-right text-muted">
                <Time at={trade.executedAt} shape="clock" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
