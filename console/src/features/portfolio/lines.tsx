import { api, type Schemas } from "../../api/client.ts";
import { sentence } from "../../domain/words.ts";
import { EmptyState, Hex, Quantity, Time, type Column } from "../../ui/index.ts";
import { PagedTable } from "../paging/paged_table.tsx";

type LineRow = Schemas["LineAnswer"];

/** With its sign, and colour beside it. */
export function Signed({ value, unit }: { value: string; unit: string }) {
  const out = value.startsWith("-");
  return (
    <span className={out ? "text-down" : "text-up"}>
      {out ? "" : "+"}
      <Quantity value={value} unit={unit} places={18} />
    </span>
  );
}

function What({ row: { kind, trade } }: { row: LineRow }) {
  return (
    <>
      <span className="font-medium">{sentence(kind)}</span>
      {trade ? <span className="text-[13px] text-muted print:text-[11px]">{` ${trade.side.toLowerCase()} ${trade.pair}`}</span> : null}
    </>
  );
}

export const LINE_COLUMNS: readonly Column<LineRow>[] = [
  { head: "What", primary: true, cell: (row) => <What row={row} /> },
  { head: "When", cell: (row) => <Time at={row.createdAt} /> },
  { head: "Change", right: true, cell: (row) => <Signed value={row.amount} unit={row.symbol} /> },
  { head: "Price", right: true, cell: ({ trade }) => <Quantity value={trade?.price} {...(trade ? { unit: trade.priceSymbol } : {})} places={18} /> },
  { head: "Fee in it", right: true, cell: ({ trade, symbol }) => <Quantity value={trade?.fee} unit={symbol} places={18} /> },
  { head: "Balance after", right: true, cell: (row) => <Quantity value={row.balance} unit={row.symbol} places={18} /> },
  { head: "Posting", right: true, cell: (row) => <Hex value={row.postingId} /> },
];

/** The lines that make a balance, newest first; all tokens' where none is named. */
export function Lines({ tokenId }: { tokenId?: string }) {
  return (
    <PagedTable
      caption="Ledger lines"
      queryKey={["ledger", "lines", tokenId ?? "all"]}
      load={(cursor, signal) => api.get("/api/v1/ledger", { query: { ...(tokenId ? { tokenId } : {}), ...(cursor ? { cursor } : {}) }, signal })}
      rowKey={(row) => String(row.id)}
      columns={LINE_COLUMNS}
      empty={<EmptyState title="No line yet">Deposit, or be given something: every movement of money stands here.</EmptyState>}
    />
  );
}
