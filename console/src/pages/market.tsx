import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import type { Schemas } from "../api/client.ts";
import { hasRole, pairs, useMe } from "../api/queries.ts";
import { Documents } from "../features/approvals/documents.tsx";
import { AssetFacts } from "../features/approvals/facts.tsx";
import { Eligibility } from "../features/markets/eligibility.tsx";
import { lifeSteps } from "../features/markets/lifecycle.ts";
import { detailsOf, eventsOf, tokenOf } from "../features/markets/queries.ts";
import { Worth } from "../features/markets/worth.tsx";
import { Facts, Hex, Loaded, Notice, PageTitle, Panel, Status, Stepper, Time } from "../ui/index.ts";

const ACTION = "rounded-md bg-accent px-3.5 py-1.5 font-medium text-on-accent hover:brightness-110";

export default function MarketPage() {
  const { market: id = "" } = useParams({ strict: false }) as { market?: string };
  const details = useQuery(detailsOf(id));
  return <Loaded of={details}>{(found) => <Known details={found} />}</Loaded>;
}

function Known({ details }: { details: Schemas["MarketDetailsAnswer"] }) {
  const { market, asset } = details;
  const mayDecide = hasRole(useMe(), "compliance", "admin");
  const known = useQuery(pairs);
  const pair = known.data?.find(({ marketId }) => marketId === market.id);
  const token = useQuery({ ...tokenOf(market.tokenSymbol), enabled: market.contractAddress !== null });
  return (
    <>
      <PageTitle
        title={
          <span className="inline-flex flex-wrap items-center gap-2">
            {market.name} <Status of={market.status} />
          </span>
        }
        about={market.tokenSymbol}
        actions={
          pair ? (
            <Link to={`/trade/${pair.symbol}`} className={ACTION}>
              Trade {pair.symbol}
            </Link>
          ) : market.status === "pending_approval" && mayDecide ? (
            <Link to={`/approvals/${market.id}`} className={ACTION}>
              Decide on it
            </Link>
          ) : null
        }
      />
      {market.rejectedReason ? (
        <div className="mb-4">
          <Notice tone="bad" title="Rejected">
            <p dir="auto">{market.rejectedReason}</p>
          </Notice>
        </div>
      ) : null}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <Worth details={details} pair={pair} />
          <Panel title="The asset">
            <AssetFacts details={details} />
          </Panel>
          {asset.documents.length > 0 ? (
            <Panel title="Documents">
              <Documents documents={asset.documents} />
            </Panel>
          ) : null}
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <Anchored name="eligibility">
            <Eligibility market={market} pair={pair} token={token.data} waiting={known.isPending || (market.contractAddress !== null && token.isPending)} />
          </Anchored>
          <Life details={details} />
          <Contract market={market} chainId={token.data?.chainId} />
        </div>
      </div>
    </>
  );
}

/** Where a link can lead to: the panel is there only after what it is about, so the browser comes too early for it. */
function Anchored({ name, children }: { name: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const wanted = useLocation().hash === name;
  useEffect(() => {
    if (wanted) place.current?.scrollIntoView();
  }, [wanted]);
  return (
    <div id={name} ref={place} className="scroll-mt-28">
      {children}
    </div>
  );
}

function Life({ details: { market } }: { details: Schemas["MarketDetailsAnswer"] }) {
  const events = useQuery(eventsOf(market.id));
  const steps = lifeSteps(market, events.data ?? []).map(({ title, state, at }) => ({ title, state, detail: at ? <Time at={at} /> : null }));
  return (
    <Panel title="Where it stands">
      <Stepper label="From registration to trading" steps={steps} />
      {market.status === "paused" ? <Notice tone="warn">Paused: orders that rest stay, cancels work, new orders wait.</Notice> : null}
    </Panel>
  );
}

/** Where the token is on the chain: everybody can ask it there. */
function Contract({ market, chainId }: { market: Schemas["MarketAnswer"]; chainId: number | undefined }) {
  if (!market.contractAddress) return null;
  return (
    <Panel title="On the chain">
      <Facts
        facts={[
          ["Token contract", <Hex value={market.contractAddress} whole />],
          ["Deployed in", <Hex value={market.deploymentTxHash} whole />],
          ["Chain", chainId === undefined ? "" : String(chainId)],
          ["Issuer's account", <Hex value={market.issuerAccount} whole />],
        ]}
      />
    </Panel>
  );
}
