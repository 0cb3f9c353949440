import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button, Loaded, Table, type Column } from "../../ui/index.ts";

interface Page<Row> {
  readonly data: readonly Row[];
  readonly nextCursor: string | null;
}

interface Props<Row> {
  readonly caption: string;
  readonly queryKey: readonly unknown[];
  readonly load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly empty?: ReactNode;
  readonly everyMs?: number;
}

/** A list that the API gives page by page, with a button for what comes after. */
export function PagedTable<Row>({ caption, queryKey, load, columns, rowKey, empty, everyMs }: Props<Row>) {
  const asked = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => load(pageParam, signal),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    ...(everyMs ? { refetchInterval: everyMs } : {}),
  });
  return (
    <Loaded of={asked}>
      {({ pages }) => (
        <>
          <Table caption={caption} rows={pages.flatMap((page) => page.data)} rowKey={rowKey} columns={columns} empty={empty} />
          {asked.hasNextPage ? (
            <div className="no-print flex justify-center border-t border-line p-3">
              <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
                Show more
              </Button>
            </div>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
