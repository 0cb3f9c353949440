/** Orders, fills and settlements of one person. */

import { api, type Schemas } from "../../api/client.ts";
import { splitPair } from "../../domain/holdings.ts";
import { sentence } from "../../domain/words.ts";
import { Badge, EmptyState, Hex, Nothing, Quantity, Status, Time, type Column } from "../../ui/index.ts";
import { Confirmations } from "../chain/confirmations.tsx";
import { PagedTable } from "../paging/paged_table.tsx";

function Side({ of }: { of: string }) {
  return <Badge tone={of === "BUY" ? "good" : "bad"}>{sentence(of)}</Badge>;
}

const ORDERS: readonly Column<Schemas["OrderAnswer"]>[] = [
  { head: "Pair", primary: true, cell: (row) => <span className="font-medium">{row.pair}</span> },
  { head: "Side", cell: (row) => <Side of={row.side} /> },
  { head: "Kind", wide: true, cell: (row) => sentence(row.orderType) },
  { head: "Quantity", right: true, cell: (row) => <Quantity value={row.quantity} /> },
  { head: "Price", right: true, cell: (row) => <Quantity value={row.price} /> },
  { head: "Filled", right: true, cell: (row) => <Quantity value={row.filledQuantity} /> },
  { head: "At", right: true, wide: true, cell: (row) => <Quantity value={row.averageFillPrice} /> },
  { head: "Status", cell: (row) => <Status of={row.status} /> },
  { head: "Placed", right: true, cell: (row) => <Time at={row.createdAt} /> },
];

export function Orders({ userId }: { userId: string }) {
  return (
    <PagedTable
      caption="Orders"
      queryKey={["orders", "history", userId]}
      load={(cursor, signal) => api.get("/api/v1/trading/users/{userId}/orders", { path: { userId }, query: cursor ? { cursor } : {}, signal })}
      rowKey={(row) => row.id}
      columns={ORDERS}
      empty={<EmptyState title="No order yet">Orders stand here, whatever has become of them.</EmptyState>}
    />
  );
}

const FILLS: readonly Column<Schemas["MyTrade"]>[] = [
  { head: "Pair", primary: true, cell: (row) => <span className="font-medium">{row.pair}</span> },
  { head: "Side", cell: (row) => <Side of={row.side} /> },
  { head: "Quantity", right: true, cell: (row) => <Quantity value={row.quantity} /> },
  { head: "Price", right: true, cell: (row) => <Quantity value={row.price} /> },
  { head: "Value", right: true, cell: (row) => <Quantity value={row.value} unit={splitPair(row.pair)[1]} /> },
  { head: "Fee", right: true, wide: true, cell: (row) => <Quantity value={row.fee} /> },
  { head: "On the chain", cell: (row) => <Status of={row.settlementStatus} /> },
  { head: "Transaction", right: true, cell: (row) => <Hex value={row.txHash} /> },
  { head: "When", right: true, cell: (row) => <Time at={row.executedAt} /> },
];

export function Fills({ userId }: { userId: string }) {
  return (
    <PagedTable
      caption="Fills"
      queryKey={["fills", "history", userId]}
      load={(cursor, signal) => api.get("/api/v1/trading/users/{userId}/trades", { path: { userId }, query: cursor ? { cursor } : {}, signal })}
      rowKey={(row) => row.id}
      columns={FILLS}
      empty={<EmptyState title="No fill yet">What your orders have traded stands here.</EmptyState>}
    />
  );
}

const SETTLEMENTS: readonly Column<Schemas["SettlementAnswer"]>[] = [
  { head: "Pair", primary: true, cell: (row) => <span className="font-medium">{row.pair}</span> },
  { head: "Traded", cell: (row) => <Time at={row.executedAt} /> },
  { head: "Status", cell: (row) => <><Status of={row.status} /> <Confirmations of={row.onChain} /></> },
  { head: "Why", cell: (row) => row.reason ?? <Nothing /> },
  { head: "Sent", right: true, cell: (row) => <Time at={row.submittedAt} shape="relative" /> },
  { head: "Finished", right: true, cell: (row) => <Time at={row.finishedAt} shape="relative" /> },
  { head: "Transaction", right: true, cell: (row) => <Hex value={row.txHash ?? row.onChain?.txHash ?? null} /> },
];

export function Settlements({ userId, open }: { userId: string; open?: boolean }) {
  return (
    <PagedTable
      caption="Settlements"
      queryKey={["settlements", "history", userId, open ?? false]}
      load={async (cursor, signal) => {
        const page = await api.get("/api/v1/trading/users/{userId}/settlements", { path: { userId }, query: cursor ? { cursor } : {}, signal });
        return open ? { ...page, data: page.data.filter(({ status }) => status !== "SETTLED" && status !== "FAILED") } : page;
      }}
      rowKey={(row) => row.tradeId}
      columns={SETTLEMENTS}
      everyMs={3_000}
      empty={
        <EmptyState title={open ? "Nothing is on its way" : "No settlement yet"}>
          A trade is delivered against payment on the chain, both at once. Until that is confirmed it can be traded on, and not
          withdrawn.
        </EmptyState>
      }
    />
  );
}
