import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Schemas } from "../api/client.ts";
import { api } from "../api/client.ts";
import { add, compare, subtract } from "../domain/decimal.ts";
import { Decision, type Matter } from "../features/approvals/decision.tsx";
import { StandingFacts } from "../features/approvals/issuer.tsx";
import { mintOf, tokenOf, waitingMints, type Mint } from "../features/approvals/queries.ts";
import { MintReceipt } from "../features/approvals/receipt.tsx";
import { Person } from "../features/staff/person.tsx";
import { useSession } from "../state/session.ts";
import { Facts, Hex, Loaded, Notice, PageTitle, Panel, Quantity, SkeletonRows, Status, Time } from "../ui/index.ts";

type Token = Schemas["TokenDetailsAnswer"];

export default function MintDesk() {
  const { mint = "" } = useParams({ strict: false }) as { mint?: string };
  const asked = useQuery(mintOf(mint));
  return <Loaded of={asked}>{(found) => <Desk key={found.id} mint={found} />}</Loaded>;
}

function Desk({ mint }: { mint: Mint }) {
  const token = useQuery(tokenOf(mint.tokenId));
  const isOpen = mint.status === "PENDING_APPROVAL";
  return (
    <>
      <PageTitle
        title={
          <span className="inline-flex flex-wrap items-center gap-2">
            <Quantity value={mint.amount} unit={mint.symbol} places={18} /> <Status of={mint.status} />
          </span>
        }
        about="More of a token, asked for by its issuer. It is minted as soon as a second person agrees."
        actions={
          <Link to="/approvals" search={{ show: "mints" } as never} className="rounded px-2 py-1 text-accent underline-offset-2 hover:underline">
            All that wait
          </Link>
        }
      />
      <div className="grid items-start gap-4 lg:grid-cols-2 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(20rem,24rem)]">
        <Panel title="Facts">
          <Loaded of={token} waiting={<SkeletonRows rows={6} />}>
            {(found) => <MintFacts mint={mint} token={found} />}
          </Loaded>
        </Panel>
        <div className="flex min-w-0 flex-col gap-4">
          <Panel title="Who asks">
            <StandingFacts userId={mint.requestedBy} />
          </Panel>
          {mint.userId === mint.requestedBy ? null : (
            <Panel title="Who receives">
              <StandingFacts userId={mint.userId} />
            </Panel>
          )}
        </div>
        <Panel title={isOpen ? "Decision" : "Receipt"} className="lg:col-span-2 xl:col-span-1">
          {isOpen ? <Verdict mint={mint} /> : <MintReceipt mint={mint} />}
        </Panel>
      </div>
    </>
  );
}

function MintFacts({ mint, token }: { mint: Mint; token: Token }) {
  const wouldBe = add(token.totalSupply, mint.amount);
  const isMinted = mint.status === "COMPLETED";
  const unit = mint.symbol;
  return (
    <div className="flex flex-col gap-4">
      <p className="max-w-prose whitespace-pre-wrap" dir="auto">
        {mint.reason}
      </p>
      <Facts
        facts={[
          ["Amount", <Quantity value={mint.amount} unit={unit} places={18} />],
          [isMinted ? "Supply, with it" : "Supply now", <Quantity value={token.totalSupply} unit={unit} />],
          ...(isMinted ? [] : [["Supply after it", <Quantity value={wouldBe} unit={unit} />] as const]),
          ["Supply cap", token.supplyCap === null ? "No cap" : <Quantity value={token.supplyCap} unit={unit} />],
          ...(token.supplyCap === null || isMinted ? [] : [["Left after it", <Quantity value={subtract(token.supplyCap, wouldBe)} unit={unit} />] as const]),
          ["Goes to", <Person userId={mint.userId} account={mint.account} whole />],
          ["Contract", <Hex value={token.contractAddress} />],
          ["Asked for", <Time at={mint.createdAt} />],
          ["Mint", <Hex value={mint.id} />],
        ]}
      />
      {token.supplyCap !== null && !isMinted && compare(wouldBe, token.supplyCap) > 0 ? (
        <Notice tone="bad" title="Beyond the cap">
          The contract refuses it as it stands.
        </Notice>
      ) : null}
    </div>
  );
}

function Verdict({ mint }: { mint: Mint }) {
  const client = useQueryClient();
  const { session } = useSession();
  const isOwn = session !== null && [mint.requestedBy, mint.userId].includes(session.userId);
  const again = async (): Promise<void> => {
    void client.invalidateQueries({ queryKey: waitingMints.queryKey });
    await client.invalidateQueries({ queryKey: mintOf(mint.id).queryKey });
  };
  return (
    <div className="flex flex-col gap-3">
      {isOwn ? (
        <Notice tone="bad" title="You asked for this, or would receive it">
          Another officer has to decide.
        </Notice>
      ) : null}
      <Decision matter={matterOf(mint, isOwn)} onDecided={again} onLookAgain={() => void again()} />
    </div>
  );
}

function matterOf(mint: Mint, isOwn: boolean): Matter {
  const path = { id: mint.id };
  return {
    kind: "mint",
    name: `${mint.amount} ${mint.symbol}`,
    about: mint.reason,
    approval: "It is minted on the chain at once, into the receiver's account in the vault. This cannot be taken back.",
    rejection: "It ends here: the issuer reads why, and may ask anew.",
    barred: isOwn ? "Another officer has to decide" : null,
    send: (verdict, reason, key) =>
      verdict === "approve"
        ? api.post("/api/v1/tokens/mints/{id}/approve", { path, body: { reason }, key })
        : api.post("/api/v1/tokens/mints/{id}/reject", { path, body: { reason }, key }),
    same: (reason) => ({ method: "POST", path: `/api/v1/tokens/mints/${mint.id}/approve`, body: { reason }, keyed: true }),
  };
}
