import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { exchangeInfo, type Market } from "../api/queries.ts";
import { dueAt, inWords, isLate } from "../domain/agreed_time.ts";
import { sentence } from "../domain/words.ts";
import { waiting, waitingMints, type Mint } from "../features/approvals/queries.ts";
import { Person } from "../features/staff/person.tsx";
import { Badge, EmptyState, Hex, Loaded, Nothing, PageTitle, Panel, Quantity, Stat, Table, Tabs, Time, useNow, type Column } from "../ui/index.ts";

const SHOWN = ["registrations", "mints"] as const;
type Shown = (typeof SHOWN)[number];

export default function Approvals() {
  const { show } = useSearch({ strict: false }) as { show?: string };
  const navigate = useNavigate();
  const registrations = useQuery(waiting);
  const mints = useQuery(waitingMints);
  const since = [...(registrations.data ?? []), ...(mints.data ?? [])].map(({ createdAt }) => createdAt).sort();
  return (
    <>
      <PageTitle title="Approval desk" about="What waits for an officer, the longest first. What you approve is carried out at once." />
      <div className="flex flex-col gap-4">
        <Figures registrations={registrations.data?.length} mints={mints.data?.length} since={since} />
        <Panel flush>
          <Tabs<Shown>
            label="What waits"
            flush
            active={SHOWN.find((one) => one === show) ?? "registrations"}
            onChange={(one) => void navigate({ to: "/approvals", search: { show: one } as never, replace: true })}
            tabs={[
              { name: "registrations", label: counted("Registrations", registrations.data), panel: <Registrations asked={registrations} /> },
              { name: "mints", label: counted("Mints", mints.data), panel: <Mints asked={mints} /> },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

function counted(label: string, rows: readonly unknown[] | undefined): string {
  return rows && rows.length > 0 ? `${label} (${rows.length})` : label;
}

function Figures({ registrations, mints, since }: { registrations: number | undefined; mints: number | undefined; since: readonly string[] }) {
  const now = useNow();
  const withinS = useAgreed();
  const late = withinS === undefined ? undefined : since.filter((at) => isLate(at, withinS, now)).length;
  return (
    <Panel>
      <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Stat label="Registrations">{registrations ?? "–"}</Stat>
        <Stat label="Mints">{mints ?? "–"}</Stat>
        <Stat label="Late" hint={withinS === undefined ? null : `agreed: within ${inWords(withinS)}`}>
          <span className={late ? "text-down" : ""}>{late ?? "–"}</span>
        </Stat>
        <Stat label="The longest since">
          <Time at={since[0]} shape="relative" />
        </Stat>
      </div>
    </Panel>
  );
}

/** Within how many seconds the desk answers. */
function useAgreed(): number | undefined {
  return useQuery(exchangeInfo).data?.limits["approvalSeconds"];
}

/** Until when an answer is due to what has waited since then. */
function Due({ since }: { since: string }) {
  const now = useNow();
  const withinS = useAgreed();
  if (withinS === undefined) return <Nothing />;
  return (
    <span className="inline-flex flex-wrap items-baseline justify-end gap-2">
      <Time at={dueAt(since, withinS)} shape="relative" />
      {isLate(since, withinS, now) ? <Badge tone="bad">Late</Badge> : null}
    </span>
  );
}

function Registrations({ asked }: { asked: Parameters<typeof Loaded<Market[]>>[0]["of"] }) {
  return (
    <Loaded of={asked}>
      {(markets) => (
        <Table
          caption="Registrations that wait for a decision"
          rows={markets}
          rowKey={(market) => market.id}
          columns={REGISTRATIONS}
          empty={
            <EmptyState title="Nothing waits">
              When an issuer submits an asset it stands here within seconds. What was decided is found in the audit timeline.
            </EmptyState>
          }
        />
      )}
    </Loaded>
  );
}

function Mints({ asked }: { asked: Parameters<typeof Loaded<Mint[]>>[0]["of"] }) {
  return (
    <Loaded of={asked}>
      {(mints) => (
        <Table
          caption="Mints that wait for a second person"
          rows={mints}
          rowKey={(mint) => mint.id}
          columns={MINTS}
          empty={
            <EmptyState title="No mint waits">
              An issuer asks for more of a token on their market's page. What the policy allows by itself never stands here.
            </EmptyState>
          }
        />
      )}
    </Loaded>
  );
}

const LINK = "font-medium text-accent underline-offset-2 hover:underline";

const REGISTRATIONS: readonly Column<Market>[] = [
  {
    head: "Asset",
    primary: true,
    cell: (market) => (
      <Link to={`/approvals/${market.id}`} className={LINK}>
        {market.name}
      </Link>
    ),
  },
  { head: "Symbol", cell: (market) => <code className="font-mono text-[13px]">{market.tokenSymbol}</code> },
  { head: "Type", cell: (market) => <span className="whitespace-nowrap">{sentence(market.assetType)}</span> },
  { head: "Supply", right: true, cell: (market) => <Quantity value={market.totalSupply} rough /> },
  { head: "Issuer", wide: true, cell: (market) => <Hex value={market.issuerAccount} /> },
  { head: "Waiting since", right: true, cell: (market) => <Time at={market.createdAt} shape="relative" /> },
  { head: "Due", right: true, cell: (market) => <Due since={market.createdAt} /> },
];

const MINTS: readonly Column<Mint>[] = [
  {
    head: "Amount",
    primary: true,
    cell: (mint) => (
      <Link to={`/approvals/mints/${mint.id}`} className={LINK}>
        <Quantity value={mint.amount} unit={mint.symbol} places={18} />
      </Link>
    ),
  },
  { head: "Why", cell: (mint) => <span className="line-clamp-2">{mint.reason}</span> },
  { head: "Goes to", wide: true, cell: (mint) => <Person userId={mint.userId} account={mint.account} /> },
  { head: "Waiting since", right: true, cell: (mint) => <Time at={mint.createdAt} shape="relative" /> },
  { head: "Due", right: true, cell: (mint) => <Due since={mint.createdAt} /> },
];
