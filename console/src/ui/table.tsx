import type { ReactNode } from "react";
import { classes } from "./classes.ts";

export interface Column<Row> {
  readonly head: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand on the right. */
  readonly right?: boolean;
  /** The name of the row: first on a phone, where the others stand below with their heads. */
  readonly primary?: boolean;
  /** Left out on a phone. */
  readonly wide?: boolean;
  /** Sorted by this column; pressing the head changes it. */
  readonly sorted?: "ascending" | "descending" | "none";
  readonly onSort?: () => void;
}

interface Props<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Shown in place of rows. */
  readonly empty?: ReactNode;
  readonly dense?: boolean;
}

/** A table on a wide screen, cards on a phone: the same cells, each with its head. */
export function Table<Row>({ caption, columns, rows, rowKey, empty, dense }: Props<Row>) {
  if (rows.length === 0 && empty) return <>{empty}</>;
  const pad = dense ? "px-3 py-1" : "px-4 py-2.5";
  return (
    <table className="w-full max-sm:block">
      <caption className="sr-only">{caption}</caption>
      <thead className="max-sm:sr-only">
        <tr className="border-b border-line text-left text-[13px] text-muted">
          {columns.map((column, place) => (
            <th key={place} scope="col" aria-sort={column.sorted} className={classes(pad, "font-medium whitespace-nowrap", column.right && "text-right")}>
              <Head column={column} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="max-sm:block">
        {rows.map((row) => (
          <tr key={rowKey(row)} className="border-b border-line last:border-0 hover:bg-raised max-sm:block max-sm:px-4 max-sm:py-2.5">
            {columns.map((column, place) => (
              <Cell key={place} column={column} row={row} pad={pad} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Head<Row>({ column }: { column: Column<Row> }) {
  if (!column.onSort) return <>{column.head}</>;
  const arrow = { ascending: " ↑", descending: " ↓", none: "" }[column.sorted ?? "none"];
  return (
    <button type="button" onClick={column.onSort} className="rounded font-medium hover:text-text">
      {column.head}
      <span aria-hidden="true">{arrow}</span>
    </button>
  );
}

function Cell<Row>({ column, row, pad }: { column: Column<Row>; row: Row; pad: string }) {
  return (
    <td
      className={classes(
        pad,
        "align-middle max-sm:px-0 max-sm:py-0.5",
        column.right && "sm:text-right sm:whitespace-nowrap print:whitespace-normal",
        column.wide && "max-sm:hidden!",
        column.primary ? "max-sm:block max-sm:pb-1" : "max-sm:flex max-sm:items-baseline max-sm:justify-between max-sm:gap-3",
      )}
    >
      {column.primary ? null : (
        <span aria-hidden="true" className="shrink-0 text-[13px] text-muted sm:hidden">
          {column.head}
        </span>
      )}
      <span className="min-w-0" dir="auto">
        {column.cell(row)}
      </span>
    </td>
  );
}
