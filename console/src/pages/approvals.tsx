import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Market } from "../api/queries.ts";
import { sentence } from "../domain/words.ts";
import { waiting } from "../features/approvals/queries.ts";
import { EmptyState, Hex, Loaded, PageTitle, Panel, Quantity, Stat, Table, Time, useNow, type Column } from "../ui/index.ts";

const DAY_MS = 86_400_000;

export default function Approvals() {
  const queue = useQuery(waiting);
  return (
    <>
      <PageTitle title="Approval desk" about="Registrations that wait for an officer, the longest first. What you approve is tokenized at once." />
      <Loaded of={queue}>
        {(markets) => (
          <div className="flex flex-col gap-4">
            <Figures markets={markets} />
            <Panel title="Waiting" flush>
              <Table
                caption="Registrations that wait for a decision"
                rows={markets}
                rowKey={(market) => market.id}
                columns={COLUMNS}
                empty={
                  <EmptyState title="Nothing waits">
                    When an issuer submits an asset it stands here within seconds. What was decided is found in the audit timeline.
                  </EmptyState>
                }
              />
            </Panel>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Figures({ markets }: { markets: readonly Market[] }) {
  const now = useNow();
  const late = markets.filter((market) => now.getTime() - new Date(market.createdAt).getTime() > DAY_MS).length;
  return (
    <Panel>
      <div className="grid grid-cols-2 gap-4 sm:grid-cols-3">
        <Stat label="Waiting">{markets.length}</Stat>
        <Stat label="For more than a day">
          <span className={late > 0 ? "text-warn" : ""}>{late}</span>
        </Stat>
        <Stat label="The longest since">
          <Time at={markets[0]?.createdAt} shape="relative" />
        </Stat>
      </div>
    </Panel>
  );
}

const COLUMNS: readonly Column<Market>[] = [
  {
    head: "Asset",
    primary: true,
    cell: (market) => (
      <Link to={`/approvals/${market.id}`} className="font-medium text-accent underline-offset-2 hover:underline">
        {market.name}
      </Link>
    ),
  },
  { head: "Symbol", cell: (market) => <code className="font-mono text-[13px]">{market.tokenSymbol}</code> },
  { head: "Type", cell: (market) => <span className="whitespace-nowrap">{sentence(market.assetType)}</span> },
  { head: "Supply", right: true, cell: (market) => <Quantity value={market.totalSupply} rough /> },
  { head: "Issuer", wide: true, cell: (market) => <Hex value={market.issuerAccount} /> },
  { head: "Waiting since", right: true, cell: (market) => <Time at={market.createdAt} shape="relative" /> },
];
