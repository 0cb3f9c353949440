import { useInfiniteQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { sentence } from "../../domain/words.ts";
import { saveFile } from "../staff/save_file.ts";
import { tellProblem } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, Hex, Loaded, Quantity, Stat, Table } from "../../ui/index.ts";

/** Who holds the token, in the vault; what is outside is told as one number. */
export function CapTable({ tokenId, symbol }: { tokenId: string; symbol: string }) {
  const asked = useInfiniteQuery({
    queryKey: ["market", "holders", tokenId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/tokens/{id}/holders", { path: { id: tokenId }, query: pageParam ? { cursor: pageParam } : {}, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: 15_000,
  });
  const save = (): void => {
    api
      .download("/api/v1/tokens/{id}/holders/export", { path: { id: tokenId }, query: { format: "csv" } })
      .then((file) => saveFile(file, `cap-table-${symbol}.csv`), tellProblem);
  };
  return (
    <Loaded of={asked}>
      {({ pages }) => (
        <>
          <div className="flex flex-wrap items-end gap-x-8 gap-y-3 border-b border-line p-4">
            <Stat label="Issued">
              <Quantity value={pages[0]?.totalSupply} unit={symbol} />
            </Stat>
            <Stat label="In the vault">
              <Quantity value={pages[0]?.inVault} />
            </Stat>
            <Stat label="In wallets outside">
              <Quantity value={pages[0]?.outsideVault} />
            </Stat>
            <Button small className="ml-auto" onClick={save}>
              Cap table as CSV
            </Button>
          </div>
          <Table
            caption="Holders"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(row) => row.id}
            empty={<EmptyState title="Nobody holds it yet" />}
            columns={COLUMNS}
          />
          {asked.hasNextPage ? (
            <div className="flex justify-center border-t border-line p-3">
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

const TONES = { treasury: "accent", platform: "neutral", investor: "good" } as const;
const COLUMNS = [
  { head: "Account", primary: true, cell: (row: Schemas["HolderAnswer"]) => (row.account ? <Hex value={row.account} /> : "The platform") },
  { head: "Who", cell: (row: Schemas["HolderAnswer"]) => <Badge tone={TONES[row.kind]}>{sentence(row.kind)}</Badge> },
  { head: "Available", right: true, wide: true, cell: (row: Schemas["HolderAnswer"]) => <Quantity value={row.available} /> },
  { head: "Locked", right: true, wide: true, cell: (row: Schemas["HolderAnswer"]) => <Quantity value={row.locked} /> },
  { head: "Holds", right: true, cell: (row: Schemas["HolderAnswer"]) => <Quantity value={row.balance} /> },
  { head: "Share", right: true, cell: (row: Schemas["HolderAnswer"]) => <Quantity value={row.sharePercent} unit="%" places={4} /> },
] as const;
