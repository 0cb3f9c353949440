import { useQuery } from "@tanstack/react-query";
import { memo, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Pair } from "../../api/queries.ts";
import { placesOf, toStep } from "../../domain/decimal.ts";
import { depthRows, grouped, spreadOf, stepsOf, type DepthRow, type Side } from "../../domain/depth.ts";
import { fixed, short } from "../../domain/show.ts";
import { useBook, useConnectionState } from "../../live/hooks.ts";
import { useSession } from "../../state/session.ts";
import { classes, EmptyState, Select, SkeletonRows } from "../../ui/index.ts";
import { fillFromBook } from "./draft.ts";
import { editOrders } from "./editing.ts";
import { LastPrice } from "./last_price.tsx";
import { openOrders } from "./pairs.ts";

const ROWS = 11;
const QUANTITY_PLACES = 4;

/** The open book: depth as bars, the spread between, my orders marked; a level that is pressed fills the ticket. */
export function OrderBook({ pair }: { pair: Pair }) {
  const book = useBook(pair.symbol);
  const connection = useConnectionState();
  const [step, setStep] = useState(pair.tickSize);
  const mine = useMyLevels(pair, step);
  const stale = connection.kind !== "live";
  const sides = useMemo(() => {
    if (!book) return null;
    const rows = (side: Side) => depthRows(grouped(book[side], side, step), ROWS);
    return { asks: rows("asks"), bids: rows("bids") };
  }, [book, step]);
  return (
    <div className={classes("flex flex-col", stale && "opacity-45 grayscale")} data-stale={stale || undefined} data-seq={book?.seq}>
      <div className="flex items-center justify-between gap-2 px-3 py-1.5">
        <h2 className="font-semibold">Order book</h2>
        <Select label="Group prices by" hideLabel className="w-24" value={step} onChange={(event) => setStep(event.target.value)}>
          {stepsOf(pair.tickSize).map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </Select>
      </div>
      {sides === null ? (
        <SkeletonRows rows={ROWS} label="The book is on its way" />
      ) : sides.asks.length + sides.bids.length === 0 ? (
        <EmptyState title="Nobody offers anything yet">Place a limit order: it will stand here first.</EmptyState>
      ) : (
        <>
          <Heads pair={pair} />
          <Levels pair={pair} side="asks" rows={sides.asks} mine={mine} step={step} />
          <Middle pair={pair} bestBid={book?.bids[0]?.[0]} bestAsk={book?.asks[0]?.[0]} />
          <Levels pair={pair} side="bids" rows={sides.bids} mine={mine} step={step} />
        </>
      )}
    </div>
  );
}

function Heads({ pair }: { pair: Pair }) {
  return (
    <div aria-hidden="true" className="grid grid-cols-3 gap-2 pr-3 pl-6 pb-1 text-[12px] text-muted">
      <span title={pair.quote.symbol}>Price</span>
      <span className="text-right" title={pair.base.symbol}>
        Size
      </span>
      <span className="text-right">Total</span>
    </div>
  );
}

interface LevelsProps {
  readonly pair: Pair;
  readonly side: Side;
  readonly rows: readonly DepthRow[];
  readonly mine: MyLevels;
  readonly step: string;
}

/** One side: a single stop for the Tab key, along which the arrows move. */
const Levels = memo(function Levels({ pair, side, rows, mine, step }: LevelsProps) {
  const list = useRef<HTMLUListElement>(null);
  const shown = side === "asks" ? [...rows].reverse() : rows;
  const nearest = side === "asks" ? shown.length - 1 : 0;
  const move = (event: KeyboardEvent): void => {
    const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    buttons[buttons.findIndex((button) => button === document.activeElement) + direction]?.focus();
  };
  return (
    <ul ref={list} onKeyDown={move} aria-label={side === "asks" ? "Asks, the best last" : "Bids, the best first"} data-side={side}>
      {shown.map((row, place) => (
        <li key={row.price} className="relative">
          {mine.has(`${side} ${row.price}`) ? <MineMark pair={pair} price={row.price} orderIds={mine.get(`${side} ${row.price}`) ?? []} /> : null}
          <button
            type="button"
            tabIndex={place === nearest ? 0 : -1}
            onClick={() => fillFromBook(pair.symbol, row.price, row.total)}
            title={`Total ${row.total} ${pair.base.symbol}`}
            className="figures relative grid w-full grid-cols-3 gap-2 pr-3 pl-6 py-px text-left text-[13px] hover:bg-raised"
          >
            <span
              aria-hidden="true"
              className={classes("absolute inset-y-0 right-0", side === "asks" ? "bg-down-soft" : "bg-up-soft")}
              style={{ width: `${row.share / 10}%` }}
            />
            <span className={classes("relative truncate", side === "asks" ? "text-down" : "text-up")}>
              {fixed(row.price, placesOf(step))}
            </span>
            <span className="relative truncate text-right">{short(row.quantity, QUANTITY_PLACES)}</span>
            <span className="relative truncate text-right text-muted">{short(row.total, QUANTITY_PLACES)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
});

/** My orders at a level: pressed, they are changed. The arrows come by here too. */
function MineMark({ pair, price, orderIds }: { pair: Pair; price: string; orderIds: readonly string[] }) {
  const what = orderIds.length === 1 ? "your order" : `your ${orderIds.length} orders`;
  return (
    <button
      type="button"
      tabIndex={-1}
      onClick={() => editOrders(pair.symbol, orderIds)}
      aria-label={`Edit ${what} at ${price}`}
      title={`Edit ${what} here`}
      className="absolute inset-y-0 left-0 z-10 w-6 rounded text-center text-[12px] leading-none text-accent hover:bg-accent-soft"
    >
      ◆
    </button>
  );
}

function Middle({ pair, bestBid, bestAsk }: { pair: Pair; bestBid: string | undefined; bestAsk: string | undefined }) {
  const spread = spreadOf(bestBid, bestAsk);
  return (
    <div className="my-0.5 flex items-baseline justify-between gap-2 border-y border-line px-3 py-1">
      <LastPrice pair={pair} className="text-base font-semibold" />
      {spread ? (
        <span className="figures text-[12px] text-muted" title={`${spread.bps} hundredths of a percent`}>
          Spread {spread.width}
        </span>
      ) : null}
    </div>
  );
}

/** Ids of my orders, by side and by the price at which their group is shown. */
type MyLevels = ReadonlyMap<string, readonly string[]>;

function useMyLevels(pair: Pair, step: string): MyLevels {
  const { session } = useSession();
  const mine = useQuery({ ...openOrders(session?.userId ?? "", pair.symbol), enabled: session !== null });
  return useMemo(() => {
    const found = new Map<string, string[]>();
    for (const { id, side, worstPrice, triggered } of session ? (mine.data ?? []) : []) {
      const bids = side === "BUY";
      const level = `${bids ? "bids" : "asks"} ${toStep(worstPrice, step, bids ? "down" : "up")}`;
      if (triggered) found.set(level, [...(found.get(level) ?? []), id]);
    }
    return found;
  }, [mine.data, session, step]);
}
