import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import { api, newKey } from "../../api/client.ts";
import type { Pair } from "../../api/queries.ts";
import { isPositive, readAmount } from "../../domain/decimal.ts";
import { takesPrice, takesStop } from "../../domain/order_terms.ts";
import { termsInWords } from "../../domain/order_words.ts";
import { changeOf, draftOfOrder, type Change } from "../../domain/replacement.ts";
import { grouped } from "../../domain/show.ts";
import { receiptOf, wrongWith, type Draft } from "../../domain/ticket.ts";
import { sentence } from "../../domain/words.ts";
import { useSession } from "../../state/session.ts";
import { useStore } from "../../state/store.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Dialog, EmptyState, ErrorState, Field, Nothing, Notice, Quantity, Select, Table, useNow } from "../../ui/index.ts";
import { useBlocked, usePreview, type Blocked } from "./blocked.ts";
import { editing, stopEditing } from "./editing.ts";
import { ForceFields, PriceFields } from "./fields.tsx";
import { openOrders, rulesOf, type Order } from "./pairs.ts";
import { NoAnswer } from "./no_answer.tsx";
import { placeOrder, unanswered } from "./placing.ts";
import { termsOf } from "./wire.ts";
import { useWorstPrice } from "./worst_price.ts";

/** The one dialog in which open orders are changed. */
export function EditOrder({ pair }: { pair: Pair }) {
  const asked = useStore(editing);
  const { session } = useSession();
  const known = useQuery({ ...openOrders(session?.userId ?? "", pair.symbol), enabled: session !== null });
  const [chosen, setChosen] = useState<string | null>(null);
  if (asked === null || asked.pair !== pair.symbol) return null;
  const there = (known.data ?? []).filter(({ id }) => asked.orderIds.includes(id));
  const order = there.find(({ id }) => id === chosen) ?? there[0];
  return (
    <Dialog open title="Change an order" onClose={stopEditing}>
      {there.length > 1 && order ? (
        <Select label="Which" className="mb-3" value={order.id} onChange={(event) => setChosen(event.target.value)}>
          {there.map((each) => (
            <option key={each.id} value={each.id}>
              {nameOf(each)}
            </option>
          ))}
        </Select>
      ) : null}
      {order ? <Form key={order.id} order={order} pair={pair} price={asked.price} /> : <EmptyState title="It rests no more">It was filled or has ended meanwhile.</EmptyState>}
    </Dialog>
  );
}

function nameOf(order: Order): string {
  return `${sentence(order.side)} ${grouped(order.remainingQuantity)} at ${grouped(order.price ?? order.worstPrice)}`;
}

function Form({ order, pair, price }: { order: Order; pair: Pair; price: string | null }) {
  const [before] = useState(() => draftOfOrder(order, pair.tickSize));
  const [draft, setDraft] = useState<Draft>(() => (price ? { ...before, ...(takesPrice(before) ? { price } : { worstPrice: price }) } : before));
  const change = (part: Partial<Draft>): void => setDraft((now) => ({ ...now, ...part }));
  const rules = rulesOf(pair);
  const wrong = wrongWith(draft, rules, useNow());
  const preview = usePreview(draft, pair, wrong);
  const what = changeOf(before, draft, pair.tickSize);
  const blocked = useBlocked(draft, pair, wrong, what === "less" ? NOT_ASKED : preview);
  const reason = what === "same" ? "Nothing is changed yet" : blocked?.text;
  const changing = useChanging(order, pair);
  return (
    <form
      className="flex flex-col gap-3"
      aria-label="The order as it shall be"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason) changing.go(draft, what);
      }}
    >
      <fieldset disabled={changing.busy} className="flex min-w-0 flex-col gap-3">
        <PriceFields draft={draft} change={change} pair={pair} wrong={wrong} />
        <Field label="What remains" inputMode="decimal" unit={pair.base.symbol} value={draft.quantity} error={wrong.quantity} onChange={(event) => change({ quantity: event.target.value })} />
        <ForceFields draft={draft} change={change} wrong={wrong} />
      </fieldset>
      <BeforeAfter before={before} after={draft} order={order} pair={pair} />
      <Meaning what={what} blocked={blocked} />
      {changing.error ? <ErrorState error={changing.error} /> : null}
      {changing.error && unanswered() ? <NoAnswer /> : null}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={stopEditing}>Go back</Button>
        <Button type="submit" tone="primary" busy={changing.busy} reason={reason} data-testid="change">
          {what === "less" ? "Let less remain" : "Sign and replace"}
        </Button>
      </div>
    </form>
  );
}

/** Nothing is set aside anew where only less shall remain. */
const NOT_ASKED = { data: undefined, error: null, isPlaceholderData: false };

function Meaning({ what, blocked }: { what: Change; blocked: Blocked | null }) {
  if (what === "less") return <p className="text-muted">It keeps its place in the book, and nothing needs to be signed.</p>;
  return (
    <>
      <p className="text-muted">
        A new order, at the end of its line, and the end of this one: both or neither. What of this one is filled meanwhile stays filled.
      </p>
      {blocked?.why === "funds" ? (
        <Notice tone="warn" title={blocked.text}>
          For a moment both stand, and what this one holds is free only once it has ended. Cancel it first, or let less remain.
        </Notice>
      ) : null}
    </>
  );
}

interface Side {
  readonly draft: Draft;
  readonly worst: string | null;
  readonly terms: string;
}

/** What is signed, beside what it replaces. */
function BeforeAfter({ before, after, order, pair }: { before: Draft; after: Draft; order: Order; pair: Pair }) {
  const rules = rulesOf(pair);
  const nowS = Math.floor(useNow().getTime() / 1000);
  const worst = useWorstPrice(after, pair, rules);
  const old: Side = { draft: before, worst: order.worstPrice, terms: termsInWords({ ...termsOf(before, pair, nowS), expiry: order.expiry }, pair.tickSize) };
  const fresh: Side = { draft: after, worst, terms: termsInWords(termsOf(after, pair, nowS), pair.tickSize) };
  const [given, taken] = before.side === "BUY" ? [pair.quote.symbol, pair.base.symbol] : [pair.base.symbol, pair.quote.symbol];
  const amount = (value: string | null | undefined, unit: string): ReactNode => (value ? <Quantity value={value} unit={unit} /> : <Nothing />);
  const rows: readonly (readonly [string, (side: Side) => ReactNode])[] = [
    ["Worst price", (side) => amount(side.worst, pair.quote.symbol)],
    ["Remains", (side) => amount(readAmount(side.draft.quantity), pair.base.symbol)],
    ["You pay at most", (side) => amount(receipt(side)?.pay, given)],
    ["You get at least", (side) => amount(receipt(side)?.get, taken)],
    ["Set aside", (side) => amount(receipt(side)?.locked, given)],
    ["Terms", (side) => side.terms],
  ];
  const receipt = ({ draft, worst: price }: Side) => {
    const quantity = readAmount(draft.quantity);
    return quantity && isPositive(quantity) && price ? receiptOf(before.side, quantity, price, rules) : null;
  };
  return (
    <div data-testid="before-after" className="rounded-md bg-raised text-[13px]">
      <Table
        caption="Before and after"
        dense
        rows={rows}
        rowKey={([name]) => name}
        columns={[
          { head: takesStop(before) ? "Once it is triggered" : "If all of it is filled", primary: true, cell: ([name]) => <span className="text-muted">{name}</span> },
          { head: "Before", cell: ([, show]) => show(old) },
          { head: "After", cell: ([, show]) => show(fresh) },
        ]}
      />
    </div>
  );
}

function useChanging(order: Order, pair: Pair) {
  const client = useQueryClient();
  // Once for as long as the dialog is open: a second press is the same wish.
  const key = useRef(newKey());
  const changing = useMutation({
    mutationFn: ({ draft, what }: { draft: Draft; what: Change }) =>
      what === "less" ? letLessRemain(order, readAmount(draft.quantity) ?? "", key.current) : placeOrder(client, draft, pair, order.id),
    onSuccess: (_, { what }) => {
      if (what === "less") tell("Less shall remain", "The order keeps its place.");
      else tell("Order replaced", "The new one is placed; the old one ends as soon as the book has heard of it.");
      stopEditing();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["orders"] });
      void client.invalidateQueries({ queryKey: ["balances"] });
    },
  });
  return { go: (draft: Draft, what: Change) => changing.mutate({ draft, what }), busy: changing.isPending, error: changing.error };
}

function letLessRemain(order: Order, remainingQuantity: string, key: string): Promise<Order> {
  return api.post("/api/v1/trading/orders/{id}/reduce", { path: { id: order.id }, body: { remainingQuantity }, key: `${key}.${remainingQuantity}` });
}
