import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { api } from "../api/client.ts";
import { ask, type Pair } from "../api/queries.ts";
import { sentence } from "../domain/words.ts";
import { Divider } from "../features/trading/divider.tsx";
import { draftOf } from "../features/trading/draft.ts";
import { EditOrder } from "../features/trading/edit_order.tsx";
import { useSizes } from "../features/trading/layout.ts";
import { MyOrders } from "../features/trading/my_orders.tsx";
import { OrderBook } from "../features/trading/order_book.tsx";
import { PairHeader } from "../features/trading/pair_header.tsx";
import { Tape } from "../features/trading/tape.tsx";
import { Ticket } from "../features/trading/ticket.tsx";
import type { Interval } from "../live/topics.ts";
import { useOffered } from "../state/commands.ts";
import { Button, classes, Dialog, Loaded, Panel, Skeleton, Tabs } from "../ui/index.ts";
import { useWide } from "../ui/wide.ts";

const Chart = lazy(() => import("../features/trading/chart.tsx"));
const INTERVALS: readonly Interval[] = ["1m", "5m", "15m", "1h", "4h", "1d"];

export default function Trade() {
  const { pair: symbol = "" } = useParams({ strict: false }) as { pair?: string };
  const asked = useQuery(
    ask({
      queryKey: ["pairs", symbol],
      queryFn: ({ signal }) => api.get("/api/v1/trading/pairs/{id}", { path: { id: symbol }, signal }),
      refetchInterval: 5_000,
    }),
  );
  const wide = useWide();
  return (
    <Loaded of={asked}>
      {(pair) => (
        <div className="flex flex-col gap-3">
          <PairHeader pair={pair} />
          <EditOrder pair={pair} />
          {wide ? <WideScreen key={pair.id} pair={pair} /> : <PhoneScreen key={pair.id} pair={pair} />}
        </div>
      )}
    </Loaded>
  );
}

type OrderSide = "BUY" | "SELL";

/** Buying and selling from the command menu, as the screen has them. */
function useSideCommands(symbol: string, order: (side: OrderSide) => void): void {
  const commands = useMemo(
    () => (["BUY", "SELL"] as const).map((side) => ({ name: `${sentence(side)} ${symbol}`, hint: "This page", run: () => order(side) })),
    [symbol, order],
  );
  useOffered(commands);
}

function WideScreen({ pair }: { pair: Pair }) {
  const order = useCallback(
    (side: OrderSide): void => {
      draftOf(pair.symbol).set((before) => ({ ...before, side }));
      // After the menu has closed, which gives the focus back to where it was.
      setTimeout(() => document.querySelector<HTMLElement>("[data-ticket=quantity]")?.focus());
    },
    [pair.symbol],
  );
  useSideCommands(pair.symbol, order);
  const { chartHeight, bookWidth, ticketWidth, tapeHeight } = useSizes();
  return (
    <div className="grid items-start" style={{ gridTemplateColumns: `minmax(0, 1fr) auto ${ticketWidth}px` }}>
      <div className="flex min-w-0 flex-col">
        <div className="grid" style={{ gridTemplateColumns: `minmax(0, 1fr) auto ${bookWidth}px`, height: chartHeight }}>
          <ChartPanel pair={pair} />
          <Divider part="bookWidth" before />
          <Panel flush className="overflow-y-auto">
            <OrderBook pair={pair} />
          </Panel>
        </div>
        <Divider part="chartHeight" />
        <Panel flush>
          <MyOrders pair={pair} />
        </Panel>
      </div>
      <Divider part="ticketWidth" before />
      <div className="flex min-w-0 flex-col">
        <Panel flush className="mb-3">
          <Ticket pair={pair} />
        </Panel>
        <Panel flush title="Recent trades">
          <Tape pair={pair} height={tapeHeight} />
        </Panel>
        <Divider part="tapeHeight" />
      </div>
    </div>
  );
}

type View = "chart" | "book" | "trades" | "mine";

/** One thing at a time, and the ticket always within reach. */
function PhoneScreen({ pair }: { pair: Pair }) {
  const [view, setView] = useState<View>("chart");
  const [ordering, setOrdering] = useState(false);
  const order = useCallback(
    (side: OrderSide): void => {
      draftOf(pair.symbol).set((before) => ({ ...before, side }));
      setOrdering(true);
    },
    [pair.symbol],
  );
  useSideCommands(pair.symbol, order);
  return (
    <>
      <Panel flush className="mb-14">
        <Tabs<View>
          label="Views of the pair"
          flush
          active={view}
          onChange={setView}
          tabs={[
            { name: "chart", label: "Chart", panel: <ChartPanel pair={pair} plain /> },
            { name: "book", label: "Book", panel: <OrderBook pair={pair} /> },
            { name: "trades", label: "Trades", panel: <Tape pair={pair} /> },
            { name: "mine", label: "Mine", panel: <MyOrders pair={pair} /> },
          ]}
        />
      </Panel>
      <div className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-2 gap-2 border-t border-line bg-panel p-2">
        <Button tone="buy" onClick={() => order("BUY")}>
          Buy
        </Button>
        <Button tone="sell" onClick={() => order("SELL")}>
          Sell
        </Button>
      </div>
      <Dialog open={ordering} title={pair.symbol} onClose={() => setOrdering(false)}>
        <div className="-m-4">
          <Ticket pair={pair} onPlaced={() => setOrdering(false)} />
        </div>
      </Dialog>
    </>
  );
}

function ChartPanel({ pair, plain }: { pair: Pair; plain?: boolean }) {
  const [interval, setInterval] = useState<Interval>("1h");
  return (
    <div className={classes("flex h-full flex-col", !plain && "rounded-lg border border-line bg-panel")}>
      <div role="group" aria-label="Length of a candle" className="flex gap-0.5 border-b border-line px-2 py-1">
        {INTERVALS.map((each) => (
          <Button key={each} small tone="quiet" aria-pressed={each === interval} className={each === interval ? "bg-accent-soft text-accent" : ""} onClick={() => setInterval(each)}>
            {each}
          </Button>
        ))}
      </div>
      <div className={plain ? "h-80" : "min-h-0 flex-1"}>
        <Suspense
          fallback={
            <div role="status" aria-label="The chart is on its way" className="h-full">
              <Skeleton className="h-full w-full" />
            </div>
          }
        >
          <Chart pair={pair} interval={interval} />
        </Suspense>
      </div>
    </div>
  );
}
