import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../api/client.ts";
import { pairs as allPairs } from "../api/queries.ts";
import { isMoving } from "../domain/journey.ts";
import { sentence } from "../domain/words.ts";
import { CapTable } from "../features/issuance/cap_table.tsx";
import { DangerZone } from "../features/issuance/danger_zone.tsx";
import { Mints } from "../features/issuance/mints.tsx";
import { OwnStanding } from "../features/issuance/own_standing.tsx";
import { Progress } from "../features/issuance/progress.tsx";
import { issuedToken, marketDetails, marketEvents } from "../features/issuance/questions.ts";
import { DocumentsOnRecord, History, RulesInForce } from "../features/issuance/record.tsx";
import { useSession } from "../state/session.ts";
import { EmptyState, Facts, Hex, Loaded, Nothing, PageTitle, Panel, Quantity, SkeletonRows, Status, Tabs } from "../ui/index.ts";

export default function IssuerMarket() {
  const { market: id = "" } = useParams({ strict: false });
  const asked = useQuery(marketDetails(id));
  return <Loaded of={asked}>{(details) => <Shown details={details} />}</Loaded>;
}

function Shown({ details: { market, asset } }: { details: Schemas["MarketDetailsAnswer"] }) {
  const moving = isMoving(market.status);
  const events = useQuery(marketEvents(market.id, moving));
  const pairs = useQuery({ ...allPairs, refetchInterval: moving ? 2_000 : 20_000 });
  const pair = pairs.data?.find(({ marketId }) => marketId === market.id);
  return (
    <>
      <PageTitle
        title={
          <span className="flex flex-wrap items-center gap-2">
            {market.name} <Status of={market.status} />
          </span>
        }
        about={`${market.tokenSymbol} · ${sentence(market.assetType)}`}
        actions={
          <Link to="/issuer" className="rounded px-2 py-1 text-accent hover:bg-raised">
            All my markets
          </Link>
        }
      />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(18rem,1fr)_minmax(0,3fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <Panel title="Where it stands">
            {events.data ? (
              <Progress status={market.status} events={events.data} pairSymbol={pair?.symbol ?? null} txHash={market.deploymentTxHash} />
            ) : (
              <SkeletonRows rows={4} />
            )}
          </Panel>
          <Panel title="What it is">
            <Facts
              facts={[
                ["Contract", <Hex key="a" value={market.contractAddress} />],
                ["Initial supply", <Quantity key="s" value={market.totalSupply} unit={market.tokenSymbol} />],
                ["Supply cap", <Quantity key="c" value={market.supplyCap} unit={market.tokenSymbol} />],
                ["Decimals", market.decimals],
                ["Valuation", <Quantity key="v" value={asset.valuation} {...(asset.currency ? { unit: asset.currency } : {})} />],
                ["Where it is", typeof asset.location === "string" ? asset.location : <Nothing key="l" />],
                ["Version", market.version],
              ]}
            />
          </Panel>
        </div>
        <Details market={market} documents={asset.documents} events={events.data ?? []} />
      </div>
    </>
  );
}

const TABS = ["holders", "mints", "documents", "rules", "history", "danger"] as const;
const LABELS = { holders: "Cap table", mints: "Mints", documents: "Documents", rules: "Rules", history: "History", danger: "Danger zone" };

interface DetailsProps {
  readonly market: Schemas["MarketAnswer"];
  readonly documents: readonly Schemas["DocumentAnswer"][];
  readonly events: readonly Schemas["MarketEventAnswer"][];
}

function Details({ market, documents, events }: DetailsProps) {
  const live = market.contractAddress !== null;
  const { session } = useSession();
  const [chosen, setChosen] = useState<(typeof TABS)[number] | null>(null);
  const token = useQuery(issuedToken(market.tokenSymbol, live));
  const later = <EmptyState title="Not before the token is deployed">It is minted to your account in the vault, and stands here then.</EmptyState>;
  const ofToken = (shown: (token: Schemas["TokenDetailsAnswer"]) => React.ReactNode): React.ReactNode => (live ? <Loaded of={token}>{shown}</Loaded> : later);
  const panels = {
    holders: ofToken((found) => <CapTable tokenId={found.id} symbol={found.symbol} />),
    mints: ofToken((found) => <Mints token={found} />),
    documents: <DocumentsOnRecord documents={documents} />,
    rules: ofToken((found) => <RulesInForce tokenId={found.id} symbol={found.symbol} />),
    history: <History events={events} />,
    danger: <DangerZone market={market} />,
  };
  return (
    <div className="flex min-w-0 flex-col gap-4">
      {token.data && market.issuerAccount.toLowerCase() === session?.account.toLowerCase() ? <OwnStanding tokenId={token.data.id} symbol={token.data.symbol} marketId={market.id} /> : null}
      <Panel flush>
        <Tabs
          label="About this market"
          flush
          active={chosen ?? (live ? "holders" : "documents")}
          onChange={setChosen}
          tabs={TABS.map((name) => ({ name, label: LABELS[name], panel: panels[name] }))}
        />
      </Panel>
    </div>
  );
}
