import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { balancesOf, type Pair } from "../../api/queries.ts";
import { termsInWords } from "../../domain/order_words.ts";
import { sentence } from "../../domain/words.ts";
import { useSession } from "../../state/session.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Badge, Button, Confirm, EmptyState, Hex, Loaded, Quantity, Status, Table, Tabs, Time, type Column } from "../../ui/index.ts";
import { editOrders } from "./editing.ts";
import { myTrades, openOrders, orderHistory, type MyTrade, type Order } from "./pairs.ts";

type Name = "open" | "history" | "fills" | "balances";

/** What is mine on this pair, below the chart. */
export function MyOrders({ pair }: { pair: Pair }) {
  const { session } = useSession();
  const [tab, setTab] = useState<Name>("open");
  if (!session) {
    return <EmptyState title="Your orders stand here">Sign in to see open orders, fills and balances of this pair.</EmptyState>;
  }
  const userId = session.userId;
  return (
    <Tabs<Name>
      label="Mine"
      active={tab}
      onChange={setTab}
      flush
      tabs={[
        { name: "open", label: <OpenLabel userId={userId} pair={pair} />, panel: <OpenOrders userId={userId} pair={pair} /> },
        { name: "history", label: "History", panel: <History userId={userId} pair={pair} /> },
        { name: "fills", label: "Fills", panel: <Fills userId={userId} pair={pair} /> },
        { name: "balances", label: "Balances", panel: <Balances userId={userId} pair={pair} /> },
      ]}
    />
  );
}

interface Props {
  readonly userId: string;
  readonly pair: Pair;
}

function OpenLabel({ userId, pair }: Props) {
  const count = useQuery(openOrders(userId, pair.symbol)).data?.length ?? 0;
  return <>Open orders {count > 0 ? `(${count})` : ""}</>;
}

function Side({ side }: { side: string }) {
  return <Badge tone={side === "BUY" ? "good" : "bad"}>{sentence(side)}</Badge>;
}

const BASICS: readonly Column<Order>[] = [
  { head: "Placed", cell: (order) => <Time at={order.createdAt} shape="relative" /> },
  { head: "Side", cell: (order) => <Side side={order.side} /> },
  { head: "Type", cell: (order) => sentence(order.orderType) },
  {
    head: "Price",
    right: true,
    cell: (order) => <Quantity value={order.price || null} />,
  },
  { head: "Quantity", right: true, cell: (order) => <Quantity value={order.quantity} /> },
  { head: "Filled", right: true, cell: (order) => <Quantity value={order.filledQuantity} /> },
];

function OpenOrders({ userId, pair }: Props) {
  const client = useQueryClient();
  const orders = useQuery(openOrders(userId, pair.symbol));
  const cancelling = useMutation({
    mutationFn: (order: Order) => api.delete("/api/v1/trading/orders/{id}", { path: { id: order.id } }),
    onSuccess: () => tell("Cancel asked for", "The order ends as soon as the book has heard of it."),
    onError: tellProblem,
    onSettled: () => client.invalidateQueries({ queryKey: ["orders"] }),
  });
  const gone = cancelling.isPending ? cancelling.variables.id : null;
  const columns: readonly Column<Order>[] = [
    ...BASICS,
    { head: "Terms", cell: (order) => <span className="text-[13px] text-muted">{termsInWords(order, pair.tickSize)}</span> },
    { head: "Status", cell: (order) => (order.id === gone ? <Status of="cancelling" /> : <Status of={order.triggered ? order.status : "waits for its trigger"} />) },
    {
      head: "",
      right: true,
      cell: (order) => (
        <span className="inline-flex gap-1">
          <Button small onClick={() => editOrders(pair.symbol, [order.id])} aria-label={`Edit ${sentence(order.side)} ${order.quantity}`}>
            Edit
          </Button>
          <Button small busy={order.id === gone} onClick={() => cancelling.mutate(order)} aria-label={`Cancel ${sentence(order.side)} ${order.quantity}`}>
            Cancel
          </Button>
        </span>
      ),
    },
  ];
  return (
    <Loaded of={orders}>
      {(found) => (
        <>
          {found.length > 0 ? <CancelAll pair={pair} count={found.length} /> : null}
          <Table caption="Open orders" dense columns={columns} rows={found} rowKey={(order) => order.id} empty={<EmptyState title="No open orders">What you place and is not filled at once rests here.</EmptyState>} />
        </>
      )}
    </Loaded>
  );
}

export function CancelAll({ pair, count }: { pair: Pair; count: number }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<string | null>(null);
  const ending = useMutation({
    mutationFn: (key: string) => api.post("/api/v1/trading/orders/cancel-all", { body: { tradingPairId: pair.symbol }, key }),
    onSuccess: (told) => {
      tell("Cancelled", `${told.cancelled} orders end as soon as the book has heard of it.`);
      setAsking(null);
    },
    onError: tellProblem,
    onSettled: () => client.invalidateQueries({ queryKey: ["orders"] }),
  });
  return (
    <div className="flex justify-end px-3 py-1.5">
      <Button small onClick={() => setAsking(newKey())}>
        Cancel all
      </Button>
      <Confirm
        open={asking !== null}
        title={`Cancel all orders on ${pair.symbol}`}
        what={`Cancel ${count} ${count === 1 ? "order" : "orders"}`}
        busy={ending.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => asking && ending.mutate(asking)}
      >
        All {count} that rest on this pair end, those that wait for a trigger too. What is filled meanwhile stays filled.
      </Confirm>
    </div>
  );
}

function History({ userId, pair }: Props) {
  const orders = useQuery(orderHistory(userId, pair.symbol));
  const columns: readonly Column<Order>[] = [
    ...BASICS,
    { head: "Average", right: true, cell: (order) => <Quantity value={order.averageFillPrice} /> },
    { head: "Fee", right: true, cell: (order) => <Quantity value={order.fee} /> },
    {
      head: "Status",
      cell: (order) => (
        <span className="flex flex-wrap items-center gap-1">
          <Status of={order.status} />
          {order.reason && order.reason !== order.status.toLowerCase() ? <span className="text-[13px] text-muted">{ended(order)}</span> : null}
        </span>
      ),
    },
  ];
  return (
    <Loaded of={orders}>
      {(found) => <Table caption="Past orders" dense columns={columns} rows={found} rowKey={(order) => order.id} empty={<EmptyState title="No past orders">Orders that were filled or have ended stand here.</EmptyState>} />}
    </Loaded>
  );
}

/** Partly filled, then ended: what was filled stays, which is worth saying. */
function ended(order: Order): string {
  const why = sentence(order.reason ?? "");
  return order.status === "CANCELLED" && order.filledQuantity !== "0" ? `${why}; what was filled stays` : why;
}

const FILLS: readonly Column<MyTrade>[] = [
  { head: "Time", cell: (trade) => <Time at={trade.executedAt} shape="relative" /> },
  { head: "Side", cell: (trade) => <Side side={trade.side} /> },
  { head: "Price", right: true, cell: (trade) => <Quantity value={trade.price} /> },
  { head: "Quantity", right: true, cell: (trade) => <Quantity value={trade.quantity} /> },
  { head: "Value", right: true, cell: (trade) => <Quantity value={trade.value} /> },
  { head: "Fee", right: true, cell: (trade) => <Quantity value={trade.fee} /> },
  { head: "Settlement", cell: (trade) => <Settlement trade={trade} /> },
];

/** Whether it has been delivered on the chain, and what it means where it has not. */
function Settlement({ trade }: { trade: MyTrade }) {
  const said: Readonly<Record<string, string>> = {
    PENDING: "settling",
    SUBMITTED: "settling",
    UNKNOWN: "settling",
    SETTLED: "settled",
    FAILED: "failed",
  };
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      <Status of={said[trade.settlementStatus] ?? trade.settlementStatus} />
      {trade.settlementStatus === "FAILED" ? <span className="text-[13px] text-muted">Undone: what you gave is yours again.</span> : null}
      {trade.txHash ? <Hex value={trade.txHash} /> : null}
    </span>
  );
}

function Fills({ userId, pair }: Props) {
  const trades = useQuery(myTrades(userId, pair.symbol));
  return (
    <Loaded of={trades}>
      {(found) => <Table caption="Fills" dense columns={FILLS} rows={found} rowKey={(trade) => `${trade.id}${trade.role}`} empty={<EmptyState title="No fills yet">Each trade of yours stands here, and where it is on its way to the chain.</EmptyState>} />}
    </Loaded>
  );
}

function Balances({ userId, pair }: Props) {
  const balances = useQuery(balancesOf(userId));
  const here = [pair.base.symbol, pair.quote.symbol];
  return (
    <Loaded of={balances}>
      {(found) => (
        <Table
          caption="Balances"
          dense
          rows={found.filter(({ symbol }) => here.includes(symbol))}
          rowKey={(balance) => balance.tokenId}
          columns={[
            { head: "Token", primary: true, cell: (balance) => <span className="font-medium">{balance.symbol}</span> },
            { head: "Available", right: true, cell: (balance) => <Quantity value={balance.available} /> },
            { head: "In orders", right: true, cell: (balance) => <Quantity value={balance.locked} /> },
            { head: "Total", right: true, cell: (balance) => <Quantity value={balance.total} /> },
          ]}
          empty={<EmptyState title="Nothing of this pair yet">Deposit first; what arrives stands here at once.</EmptyState>}
        />
      )}
    </Loaded>
  );
}
