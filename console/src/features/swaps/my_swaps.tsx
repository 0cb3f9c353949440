/** Swaps of mine: the one that was just signed, followed to its end, and all that there were. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../../api/client.ts";
import { splitPair } from "../../domain/holdings.ts";
import { swapIsOver, swapSteps } from "../../domain/swap.ts";
import { sentence } from "../../domain/words.ts";
import { Button, EmptyState, Facts, Hex, Loaded, Nothing, Quantity, Status, Stepper, Time, type Column } from "../../ui/index.ts";
import { PagedTable } from "../paging/paged_table.tsx";
import { oneSwap, type Swap } from "./questions.ts";

/** The token that is given, and the one that is received. */
function tokens({ pair, side }: Swap): readonly [string, string] {
  const [base, quote] = splitPair(pair);
  return side === "BUY" ? [quote, base] : [base, quote];
}

function feeToken(swap: Swap): string {
  const [given, got] = tokens(swap);
  return swap.feeTokenId === swap.tokenInId ? given : got;
}

/** Nothing was traded: there is nothing to show of it. */
function done(swap: Swap, value: string, unit: string) {
  return swap.amountUsed === "0" ? <Nothing /> : <Quantity value={value} unit={unit} />;
}

export function OneSwap({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const asked = useQuery(oneSwap(id));
  const over = asked.data !== undefined && swapIsOver(asked.data);
  useEffect(() => {
    if (!over) return;
    for (const room of ["orders", "balances", "ledger"]) void client.invalidateQueries({ queryKey: [room] });
  }, [client, over]);
  return <Loaded of={asked}>{(swap) => <Followed swap={swap} onClose={onClose} />}</Loaded>;
}

function Followed({ swap, onClose }: { swap: Swap; onClose: () => void }) {
  const [given, got] = tokens(swap);
  const hashes = [...new Set(swap.fills.flatMap(({ txHash }) => txHash ?? []))];
  return (
    <section aria-label="Your swap" className="flex flex-col gap-3">
      <p className="font-medium">
        <Quantity value={swap.amountIn} unit={given} places={18} /> into {got} <Status of={swap.status} />
      </p>
      <Stepper label="Steps" steps={swapSteps(swap).map(({ title, state, note }) => ({ title, state, detail: note || null }))} />
      <Facts
        facts={[
          ["Given", done(swap, swap.amountUsed, given)],
          ["Received", done(swap, swap.amountOut, got)],
          ["Signed for at least", <Quantity key="m" value={swap.minAmountOut} unit={got} places={18} />],
          ["Price", <Quantity key="p" value={swap.averagePrice} unit={splitPair(swap.pair)[1]} />],
          ["Fee", done(swap, swap.fee, feeToken(swap))],
          ["Transaction", hashes.length > 0 ? hashes.map((hash) => <Hex key={hash} value={hash} />) : <Nothing key="t" />],
        ]}
      />
      <Button small tone="quiet" className="self-start" onClick={onClose}>
        Close this
      </Button>
    </section>
  );
}

const COLUMNS: readonly Column<Swap>[] = [
  { head: "Swap", primary: true, cell: (swap) => <span className="font-medium">{tokens(swap).join(" → ")}</span> },
  { head: "When", cell: (swap) => <Time at={swap.createdAt} shape="relative" /> },
  { head: "Given", right: true, cell: (swap) => done(swap, swap.amountUsed, tokens(swap)[0]) },
  { head: "Received", right: true, cell: (swap) => done(swap, swap.amountOut, tokens(swap)[1]) },
  { head: "Price", right: true, cell: (swap) => <Quantity value={swap.averagePrice} unit={splitPair(swap.pair)[1]} /> },
  { head: "Fee", right: true, wide: true, cell: (swap) => done(swap, swap.fee, feeToken(swap)) },
  {
    head: "Status",
    cell: (swap) => (
      <span className="flex flex-wrap items-center gap-1">
        <Status of={swap.status} />
        {swap.reason && swap.reason !== swap.status.toLowerCase() ? <span className="text-[13px] text-muted">{sentence(swap.reason)}</span> : null}
      </span>
    ),
  },
  { head: "On the chain", cell: (swap) => (swap.settlementStatus ? <Status of={swap.settlementStatus} /> : <Nothing />) },
];

const EVERY_MS = 3_000;

export function MySwaps({ userId, onLook }: { userId: string; onLook: (id: string) => void }) {
  const columns = [
    ...COLUMNS,
    {
      head: "",
      right: true,
      cell: (swap: Swap) => (
        <Button small aria-label={`Steps: ${swap.amountIn} ${tokens(swap).join(" into ")}`} onClick={() => onLook(swap.id)}>
          Steps
        </Button>
      ),
    },
  ];
  return (
    <PagedTable
      caption="Swaps"
      queryKey={["orders", "swaps", userId]}
      load={(cursor, signal) => api.get("/api/v1/swaps", { query: cursor ? { cursor } : {}, signal })}
      rowKey={(swap) => swap.id}
      columns={columns}
      everyMs={EVERY_MS}
      empty={<EmptyState title="No swap yet">What you convert stands here, with what it gave and brought.</EmptyState>}
    />
  );
}
