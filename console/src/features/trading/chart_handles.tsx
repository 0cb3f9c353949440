import type { ISeriesApi } from "lightweight-charts";
import { useEffect, useRef, useState, type PointerEvent } from "react";
import type { Pair } from "../../api/queries.ts";
import { grouped, short } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { classes } from "../../ui/index.ts";
import { pixelPrice, priceAt } from "./chart_data.ts";
import { editOrders } from "./editing.ts";
import type { Order } from "./pairs.ts";

interface Props {
  readonly parts: Drawn;
  readonly pair: Pair;
  readonly orders: readonly Order[];
}

/** The chart's prices, and whether it has been taken down before those who draw on it have heard. */
interface Drawn {
  readonly prices: ISeriesApi<"Candlestick">;
  readonly gone: boolean;
}

const HEIGHT = 24;
const WIDTH = 168;
const COLUMNS = 3;

/** My orders as handles on the chart: pressed, they are changed; drawn up or down, with another price to begin with. */
export function ChartHandles({ parts, pair, orders }: Props) {
  const { prices } = parts;
  const places = useRef(new Map<string, HTMLElement>());
  useEffect(() => {
    const follower = { updateAllViews: () => arrange(prices, orders, places.current) };
    prices.attachPrimitive(follower);
    return () => {
      if (!parts.gone) prices.detachPrimitive(follower);
    };
  }, [parts, prices, orders]);
  return (
    <div className="pointer-events-none absolute inset-0 z-10 overflow-hidden">
      {orders.map((order) => (
        <div
          key={order.id}
          className="absolute top-0 left-2"
          ref={(element) => {
            if (element) places.current.set(order.id, element);
            else places.current.delete(order.id);
          }}
        >
          <Handle order={order} pair={pair} prices={prices} />
        </div>
      ))}
    </div>
  );
}

/** Each beside its line; those that would lie on each other side by side. The chart calls this whenever it is drawn. */
function arrange(prices: Drawn["prices"], orders: Props["orders"], places: ReadonlyMap<string, HTMLElement>): void {
  const found = orders
    .map((order) => ({ element: places.get(order.id), y: prices.priceToCoordinate(pixelPrice(order.worstPrice)) }))
    .sort((a, b) => (a.y ?? 0) - (b.y ?? 0));
  let [above, column] = [Number.NEGATIVE_INFINITY, 0];
  for (const { element, y } of found) {
    if (!element) continue;
    element.hidden = y === null || y < 0;
    if (y === null || y < 0) continue;
    column = y - above < HEIGHT ? (column + 1) % COLUMNS : 0;
    above = y;
    element.style.transform = `translate(${column * WIDTH}px, ${Math.round(y - HEIGHT / 2)}px)`;
  }
}

const MOVED_PX = 4;

function Handle({ order, pair, prices }: { order: Order; pair: Pair; prices: Drawn["prices"] }) {
  const [grip, setGrip] = useState<{ readonly from: number; readonly by: number } | null>(null);
  // The browser tells of a press after each drawing, too.
  const drew = useRef(false);
  const moved = grip !== null && Math.abs(grip.by) > MOVED_PX;
  const drawnTo = (): string | null => {
    const y = prices.priceToCoordinate(pixelPrice(order.worstPrice));
    const price = y === null || !grip ? null : prices.coordinateToPrice(y + grip.by);
    return price === null ? null : priceAt(price, pair.tickSize);
  };
  const end = (event: PointerEvent): void => {
    event.currentTarget.releasePointerCapture(event.pointerId);
    drew.current = moved;
    if (moved) editOrders(pair.symbol, [order.id], drawnTo());
    setGrip(null);
  };
  const what = `${sentence(order.side)} ${short(order.remainingQuantity, 4)}`;
  const price = (moved ? drawnTo() : null) ?? order.worstPrice;
  return (
    <button
      type="button"
      data-handle={order.id}
      title="Press to change it, or draw it to another price"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setGrip({ from: event.clientY, by: 0 });
      }}
      onPointerMove={(event) => setGrip((now) => now && { ...now, by: event.clientY - now.from })}
      onPointerUp={end}
      onPointerCancel={() => setGrip(null)}
      onClick={() => {
        if (!drew.current) editOrders(pair.symbol, [order.id]);
        drew.current = false;
      }}
      style={grip ? { transform: `translateY(${grip.by}px)` } : undefined}
      className={classes(
        "figures pointer-events-auto h-6 max-w-40 cursor-ns-resize touch-none truncate rounded border bg-panel px-1.5 text-[11px]",
        order.side === "BUY" ? "border-up text-up" : "border-down text-down",
      )}
    >
      <span className="sr-only">Edit </span>
      {what} @ {grouped(price)}
    </button>
  );
}
