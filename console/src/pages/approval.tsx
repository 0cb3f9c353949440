import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api/client.ts";
import { differences } from "../domain/free_form.ts";
import { Decision, type Matter } from "../features/approvals/decision.tsx";
import { Documents } from "../features/approvals/documents.tsx";
import { SinceEarlier } from "../features/approvals/earlier.tsx";
import { AssetFacts, Gaps } from "../features/approvals/facts.tsx";
import { Issuer } from "../features/approvals/issuer.tsx";
import { historyOf, looked, waiting, type Details } from "../features/approvals/queries.ts";
import { HistoryList, Receipt } from "../features/approvals/receipt.tsx";
import { Differences } from "../features/staff/differences.tsx";
import { Button, Loaded, Notice, PageTitle, Panel, Status } from "../ui/index.ts";

export default function Approval() {
  const { market = "" } = useParams({ strict: false }) as { market?: string };
  const asked = useQuery(looked(market));
  return (
    <Loaded of={asked}>
      {(details) => <Desk key={details.market.id} details={details} onLookAgain={async () => void (await asked.refetch())} />}
    </Loaded>
  );
}

function Desk({ details, onLookAgain }: { details: Details; onLookAgain: () => Promise<void> }) {
  const client = useQueryClient();
  const [before, setBefore] = useState<Details | null>(null);
  const { market } = details;
  const again = async (): Promise<void> => {
    setBefore(details);
    await client.invalidateQueries({ queryKey: historyOf(market.id).queryKey });
    await onLookAgain();
  };
  return (
    <>
      <PageTitle
        title={
          <span className="inline-flex flex-wrap items-center gap-2">
            {market.name} <Status of={market.status} />
          </span>
        }
        about={`${market.tokenSymbol}, as it stood in version ${market.version}.`}
        actions={
          <>
            <Button small onClick={() => void again()}>
              Look again
            </Button>
            <Link to="/approvals" className="rounded px-2 py-1 text-accent underline-offset-2 hover:underline">
              All that wait
            </Link>
          </>
        }
      />
      <Changed before={before} now={details} />
      <SinceEarlier details={details} />
      <div className="grid items-start gap-4 lg:grid-cols-2 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(20rem,24rem)]">
        <Panel title="Facts">
          <AssetFacts details={details} />
        </Panel>
        <Panel title="Documents">
          <Documents documents={details.asset.documents} />
        </Panel>
        <div className="flex min-w-0 flex-col gap-4 lg:col-span-2 xl:col-span-1">
          <Panel title="Issuer">
            <Issuer details={details} />
          </Panel>
          <Verdict details={details} onDecided={() => void onLookAgain()} onLookAgain={() => void again()} />
        </div>
      </div>
    </>
  );
}

function Changed({ before, now }: { before: Details | null; now: Details }) {
  if (!before || before.market.version === now.market.version) return null;
  return (
    <div className="mb-4">
      <Notice tone="warn" title={`Changed since you looked: version ${before.market.version} is version ${now.market.version} now`}>
        <Differences of={differences({ ...before.market, ...before.asset }, { ...now.market, ...now.asset })} />
      </Notice>
    </div>
  );
}

function Verdict({ details, onDecided, onLookAgain }: { details: Details; onDecided: () => void; onLookAgain: () => void }) {
  const history = useQuery(historyOf(details.market.id));
  const client = useQueryClient();
  const decided = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: historyOf(details.market.id).queryKey });
    void client.invalidateQueries({ queryKey: waiting.queryKey });
    onDecided();
  };
  const isOpen = details.market.status === "pending_approval";
  return (
    <>
      <Panel title={isOpen ? "Decision" : "Receipt"}>
        <div className="flex flex-col gap-3">
          {isOpen ? <Gaps details={details} /> : null}
          {isOpen ? (
            <Decision matter={matterOf(details)} onDecided={decided} onLookAgain={onLookAgain} />
          ) : (
            <Loaded of={history}>{(events) => <Receipt details={details} history={events} />}</Loaded>
          )}
        </div>
      </Panel>
      <Panel title="History">
        <Loaded of={history}>{(events) => <HistoryList history={events} />}</Loaded>
      </Panel>
    </>
  );
}

function matterOf({ market }: Details): Matter {
  return {
    kind: "market",
    name: market.name,
    about: market.tokenSymbol,
    version: market.version,
    approval: "Its token is deployed at once and the pair opens by itself. This cannot be taken back; a market can be paused later.",
    rejection: "It ends here: the issuer has to register anew.",
    barred: null,
    send: (decision, reason, key) =>
      api.post("/api/v1/markets/{id}/approve", { path: { id: market.id }, body: { decision, reason }, key, seen: market.version }),
    same: (reason) => ({ method: "POST", path: `/api/v1/markets/${market.id}/approve`, body: { decision: "approve", reason }, keyed: true }),
  };
}
