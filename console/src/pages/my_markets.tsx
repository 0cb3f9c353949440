import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import { useMe } from "../api/queries.ts";
import { isMoving } from "../domain/journey.ts";
import { sentence } from "../domain/words.ts";
import { Button, EmptyState, Loaded, PageTitle, Panel, Quantity, SkeletonRows, Status, Table, Time } from "../ui/index.ts";

const ISSUE = "inline-flex min-h-9 items-center rounded-md bg-accent px-3.5 py-1.5 font-medium text-on-accent hover:brightness-110";

export default function MyMarkets() {
  const who = useMe();
  return (
    <>
      <PageTitle
        title="My markets"
        about="What you have registered, and where each asset stands on its way."
        actions={
          <Link to="/issuer/new" className={ISSUE}>
            Issue an asset
          </Link>
        }
      />
      <Panel flush>
        {!who ? <SkeletonRows /> : who.entityId ? <Listed issuerId={who.entityId} /> : <EmptyState title="You act for no issuer yet">An operator binds your account to your issuer's legal entity.</EmptyState>}
      </Panel>
    </>
  );
}

function Listed({ issuerId }: { issuerId: string }) {
  const asked = useInfiniteQuery({
    queryKey: ["markets", "issued", issuerId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => api.get("/api/v1/markets", { query: { issuerId, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.data.some(({ status }) => isMoving(status))) ? 3_000 : 20_000),
  });
  return (
    <Loaded of={asked}>
      {({ pages }) => (
        <>
          <Table
            caption="My markets"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(row) => row.id}
            empty={<EmptyState title="You have registered nothing yet">Issue an asset: it takes a few minutes, and nothing is sent before you have seen it all.</EmptyState>}
            columns={[
              {
                head: "Asset",
                primary: true,
                cell: (row) => (
                  <Link to={`/issuer/markets/${row.id}`} className="rounded font-medium text-accent underline-offset-2 hover:underline">
                    {row.name}
                  </Link>
                ),
              },
              { head: "Symbol", cell: (row) => row.tokenSymbol },
              { head: "Kind", wide: true, cell: (row) => sentence(row.assetType) },
              { head: "Status", cell: (row) => <Status of={row.status} /> },
              { head: "Initial supply", right: true, cell: (row) => <Quantity value={row.totalSupply} /> },
              { head: "Registered", right: true, cell: (row) => <Time at={row.createdAt} shape="day" /> },
            ]}
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
