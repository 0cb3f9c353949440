import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { allStats, balancesOf, pairs as allPairs, type Balance, type Pair } from "../../api/queries.ts";
import { add, multiply, toPlaces } from "../../domain/decimal.ts";
import { averageCost, basisOf, settling, unrealized, type Basis } from "../../domain/holdings.ts";
import { EmptyState, Loaded, Money, Nothing, Quantity, Stat, Table, type Column } from "../../ui/index.ts";
import { allTrades, fillsOf, pricedIn } from "./questions.ts";

export type Looked = { readonly balance: Balance; readonly at: "total" | "locked" | "settling" };

interface Row extends Balance {
  readonly settling: string;
  readonly value: string | null;
  readonly unit: string;
  readonly basis: Basis | null;
  readonly gain: string | null;
}

/** What is held, what it is worth at last prices, and what it has cost. Each number opens what makes it. */
export function Balances({ userId, onLook }: { userId: string; onLook: (looked: Looked) => void }) {
  const balances = useQuery({ ...balancesOf(userId), refetchInterval: 10_000 });
  const trades = useQuery(allTrades(userId));
  const pairs = useQuery(allPairs);
  const stats = useQuery(allStats);
  return (
    <Loaded of={balances}>
      {(held) => {
        const tokenOf = new Map(held.map(({ tokenId, symbol }) => [tokenId, symbol]));
        const fills = fillsOf(trades.data?.trades ?? [], tokenOf);
        const priceOf = new Map((stats.data?.pairs ?? []).map((entry) => [entry.tradingPairId, entry.lastPrice]));
        const rows = rowsOf(held, settling(fills), basisOf(fills), pairs.data ?? [], priceOf);
        return (
          <>
            <Worth rows={rows} whole={trades.data?.whole ?? true} />
            <Table caption="Balances" rows={rows} rowKey={(row) => row.tokenId} columns={columns(onLook)} empty={<EmptyState title="You hold nothing yet">Deposit, and it stands here.</EmptyState>} />
          </>
        );
      }}
    </Loaded>
  );
}

function rowsOf(
  held: readonly Balance[],
  onTheirWay: ReadonlyMap<string, string>,
  bases: ReadonlyMap<string, Basis>,
  pairs: readonly Pair[],
  priceOf: ReadonlyMap<string, string | null | undefined>,
): readonly Row[] {
  const quotes = new Set(pairs.map((pair) => pair.quote.symbol));
  return held.map((balance) => {
    const pair = pricedIn(balance.symbol, pairs);
    const price = pair ? (priceOf.get(pair.id) ?? null) : null;
    const basis = bases.get(balance.symbol) ?? null;
    const isMoney = !pair && quotes.has(balance.symbol);
    return {
      ...balance,
      settling: onTheirWay.get(balance.symbol) ?? "0",
      value: price ? multiply(balance.total, price) : isMoney ? balance.total : null,
      unit: pair?.quote.symbol ?? balance.symbol,
      basis,
      gain: basis && price ? unrealized(basis, price) : null,
    };
  });
}

function Worth({ rows, whole }: { rows: readonly Row[]; whole: boolean }) {
  const sums = new Map<string, { value: string; gain: string; realized: string }>();
  for (const row of rows) {
    if (row.value === null) continue;
    const before = sums.get(row.unit) ?? { value: "0", gain: "0", realized: "0" };
    sums.set(row.unit, {
      value: add(before.value, row.value),
      gain: add(before.gain, row.gain ?? "0"),
      realized: add(before.realized, row.basis?.realized ?? "0"),
    });
  }
  return (
    <div className="flex flex-wrap gap-x-10 gap-y-3 border-b border-line p-4">
      {[...sums].map(([unit, { value, gain, realized }]) => (
        <div key={unit} className="contents">
          <Stat label="Worth at last prices" hint="An estimate: nothing is sold by looking.">
            <Money value={value} unit={unit} />
          </Stat>
          <Stat label="Gain not taken yet" hint={whole ? "On what was bought here, after fees." : "Of your last 2,000 trades."}>
            <Gain value={gain} unit={unit} />
          </Stat>
          <Stat label="Gain taken" hint="At average cost, after fees.">
            <Gain value={realized} unit={unit} />
          </Stat>
        </div>
      ))}
    </div>
  );
}

function Gain({ value, unit }: { value: string; unit?: string }) {
  const shown = toPlaces(value, 6);
  const tone = shown === "0" ? "" : value.startsWith("-") ? "text-down" : "text-up";
  return (
    <span className={tone}>
      {tone === "text-up" ? "+" : ""}
      <Money value={value} {...(unit ? { unit } : {})} />
    </span>
  );
}

function columns(onLook: (looked: Looked) => void): readonly Column<Row>[] {
  const opens = (balance: Row, at: Looked["at"], name: string, value: string): ReactNode => (
    <button
      type="button"
      onClick={() => onLook({ balance, at })}
      className="rounded underline decoration-dotted underline-offset-4 hover:text-accent"
    >
      <span className="sr-only">
        {balance.symbol} {name}{" "}
      </span>
      <Quantity value={value} />
    </button>
  );
  return [
    { head: "Token", primary: true, cell: (row) => <span className="font-medium">{row.symbol}</span> },
    { head: "Available", right: true, cell: (row) => opens(row, "total", "available", row.available) },
    { head: "Locked", right: true, cell: (row) => opens(row, "locked", "locked", row.locked) },
    { head: "Settling", right: true, cell: (row) => opens(row, "settling", "settling", row.settling) },
    { head: "Total", right: true, cell: (row) => opens(row, "total", "total", row.total) },
    { head: "Worth", right: true, cell: (row) => (row.value ? <Money value={row.value} unit={row.unit} /> : <Nothing said="no price known" />) },
    { head: "Average cost", right: true, wide: true, cell: (row) => <Quantity value={row.basis ? averageCost(row.basis) : null} /> },
    { head: "Gain", right: true, cell: (row) => (row.gain ? <Gain value={row.gain} unit={row.unit} /> : <Nothing />) },
  ];
}
