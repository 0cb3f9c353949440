import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import { api, type Schemas } from "../api/client.ts";
import { allStats, hasRole, pairs as allPairs, useMe } from "../api/queries.ts";
import { sentence } from "../domain/words.ts";
import { cryptoRows, marketRows, sortRows, type MarketRow, type SortKey, type Sorting } from "../features/markets/rows.ts";
import { Sparkline } from "../features/markets/sparkline.tsx";
import { Yield } from "../features/markets/yield.tsx";
import { SignInLink } from "../features/session/sign_in_link.tsx";
import { useSession } from "../state/session.ts";
import { Button, Change, EmptyState, Field, Loaded, Nothing, PageTitle, Panel, Quantity, Select, SkeletonRows, Status, Table, type Column } from "../ui/index.ts";

const TYPES: readonly Schemas["AssetType"][] = [
  "real_estate",
  "corporate_stock",
  "government_bond",
  "commodity",
  "private_equity",
  "art_collectible",
  "carbon_credit",
  "other",
];
const STATUSES: readonly Schemas["MarketStatus"][] = [
  "active",
  "pending_approval",
  "approved",
  "activating",
  "paused",
  "rejected",
  "archived",
];

interface Wanted {
  readonly text: string;
  readonly assetType: Schemas["AssetType"] | "";
  readonly status: Schemas["MarketStatus"] | "";
}

export default function Markets() {
  const [wanted, setWanted] = useState<Wanted>({ text: "", assetType: "", status: "" });
  const [sorting, setSorting] = useState<Sorting>({ by: "volume", down: true });
  const asked = useDeferredValue(wanted);
  const found = useMarkets(asked);
  const pairs = useQuery(allPairs);
  const stats = useQuery(allStats);
  return (
    <>
      <PageTitle title="Markets" about="Assets that were issued, approved and tokenized here, and what they trade at." />
      <Panel flush>
        <Filters wanted={wanted} onChange={setWanted} />
        <Loaded of={found}>
          {({ pages }) => {
            // All at once: columns that come one after the other would move what one is reading.
            if (pairs.isPending || stats.isPending) return <SkeletonRows />;
            const known = [pairs.data ?? [], stats.data?.pairs ?? []] as const;
            const listed = marketRows(pages.flatMap((page) => page.data), ...known);
            const plain = asked.assetType || asked.status ? [] : cryptoRows(...known, asked.text);
            return (
              <Table
                caption="Markets"
                rows={sortRows([...listed, ...plain], sorting)}
                rowKey={(row) => row.key}
                columns={columns(sorting, setSorting)}
                empty={<NoMarkets wanted={asked} />}
              />
            );
          }}
        </Loaded>
        {found.hasNextPage ? (
          <div className="flex justify-center border-t border-line p-3">
            <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              Show more
            </Button>
          </div>
        ) : null}
      </Panel>
    </>
  );
}

function useMarkets({ text, assetType, status }: Wanted) {
  return useInfiniteQuery({
    queryKey: ["markets", "list", text, assetType, status],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...(text ? { text } : {}),
        ...(assetType ? { assetType } : {}),
        ...(status ? { status } : {}),
        ...(pageParam ? { cursor: pageParam } : {}),
      };
      return api.get("/api/v1/markets", { query, signal });
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: 15_000,
  });
}

function Filters({ wanted, onChange }: { wanted: Wanted; onChange: (next: Wanted) => void }) {
  return (
    <div className="grid gap-3 border-b border-line p-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_minmax(0,1fr)]">
      <Field
        label="Search"
        type="search"
        placeholder="Name or symbol"
        maxLength={100}
        value={wanted.text}
        onChange={(event) => onChange({ ...wanted, text: event.target.value })}
      />
      <Select
        label="Asset type"
        value={wanted.assetType}
        onChange={(event) => onChange({ ...wanted, assetType: event.target.value as Wanted["assetType"] })}
      >
        <option value="">All types</option>
        {TYPES.map((type) => (
          <option key={type} value={type}>
            {sentence(type)}
          </option>
        ))}
      </Select>
      <Select
        label="Status"
        value={wanted.status}
        onChange={(event) => onChange({ ...wanted, status: event.target.value as Wanted["status"] })}
      >
        <option value="">Any status</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {sentence(status)}
          </option>
        ))}
      </Select>
    </div>
  );
}

function columns(sorting: Sorting, onSort: (next: Sorting) => void): readonly Column<MarketRow>[] {
  const sortable = (by: SortKey) => ({
    sorted: sorting.by === by ? (sorting.down ? "descending" : "ascending") : "none",
    onSort: () => onSort({ by, down: sorting.by === by ? !sorting.down : by !== "name" }),
  } as const);
  return [
    {
      head: "Asset",
      primary: true,
      ...sortable("name"),
      cell: (row) => (
        <>
          <Link to={row.market ? `/markets/${row.market.id}` : `/trade/${row.name}`} className="font-medium underline-offset-2 hover:underline">
            {row.name}
          </Link>{" "}
          <span className="text-muted">{row.symbol}</span>
        </>
      ),
    },
    { head: "Type", cell: (row) => <span className="whitespace-nowrap">{sentence(row.assetType)}</span> },
    { head: "Status", cell: (row) => <Status of={row.status} /> },
    {
      head: "Last price",
      right: true,
      ...sortable("price"),
      cell: (row) => <Quantity value={row.stats?.lastPrice} {...(row.pair ? { unit: row.pair.quote.symbol } : {})} />,
    },
    { head: "24 h", right: true, ...sortable("change"), cell: (row) => <Change bps={row.stats?.changeBps24h} /> },
    {
      head: "24 h volume",
      right: true,
      ...sortable("volume"),
      cell: (row) => <Quantity value={row.stats?.quoteVolume24h} rough {...(row.pair ? { unit: row.pair.quote.symbol } : {})} />,
    },
    { head: "Yield", right: true, cell: (row) => (row.market ? <Yield market={row.market.id} /> : <Nothing />) },
    { head: "Last 24 h", cell: (row) => (row.pair ? <Sparkline pair={row.pair.symbol} /> : <Nothing said="not traded yet" />) },
    {
      head: "",
      right: true,
      cell: (row) =>
        row.pair ? (
          <Link to={`/trade/${row.pair.symbol}`} aria-label={`Trade ${row.pair.symbol}`} className="rounded px-2 py-1 text-accent hover:bg-raised">
            Trade
          </Link>
        ) : null,
    },
  ];
}

function NoMarkets({ wanted }: { wanted: Wanted }) {
  if (wanted.text || wanted.assetType || wanted.status) {
    return <EmptyState title="Nothing fits">Change what you look for, or take a filter away.</EmptyState>;
  }
  return (
    <EmptyState title="No market yet">
      An issuer registers an asset, compliance approves it, its token is deployed by itself, and it can be traded here.
      <FirstStep />
    </EmptyState>
  );
}

/** What whoever looks at an empty list can do about it. */
function FirstStep() {
  const { session } = useSession();
  const mayIssue = hasRole(useMe(), "issuer");
  const looks = "mt-2 block text-accent underline underline-offset-2";
  if (session === null) return <SignInLink className={looks}>Sign in to begin</SignInLink>;
  if (!mayIssue) return null;
  return (
    <Link to="/issuer/new" className={looks}>
      Issue an asset
    </Link>
  );
}
