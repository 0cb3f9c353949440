import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../../api/client.ts";
import { balancesOf, type Market, type Pair } from "../../api/queries.ts";
import { judgeFor, marketConditions, verdictWords, type Condition, type Known } from "../../domain/tradability.ts";
import { useSession } from "../../state/session.ts";
import { Button, Notice, Panel, SkeletonRows, Time, useNow } from "../../ui/index.ts";
import { mayReceive, maySend, standingOf } from "./queries.ts";
import { VerifyMe } from "./verify_me.tsx";
import { SignInLink } from "../session/sign_in_link.tsx";

interface Props {
  readonly market: Market;
  readonly pair: Pair | undefined;
  /** Known once the token is on the chain. */
  readonly token: Schemas["TokenAnswer"] | undefined;
  /** Pair and token are still asked for. */
  readonly waiting: boolean;
}

/** Whether I may trade this, condition by condition; and what to do where I may not. */
export function Eligibility(props: Props) {
  const { session } = useSession();
  if (props.waiting) {
    return (
      <Panel title="Can I trade this?">
        <SkeletonRows rows={4} />
      </Panel>
    );
  }
  return <Panel title="Can I trade this?">{session === null ? <Strangers {...props} /> : <Mine {...props} userId={session.userId} />}</Panel>;
}

function Strangers({ market, pair }: Props) {
  return (
    <div className="flex flex-col gap-3">
      <Conditions conditions={marketConditions({ marketStatus: market.status, pairStatus: pair?.status ?? null })} />
      <p className="text-muted">
        Who may hold this token depends on who you are:{" "}
        <SignInLink className="text-accent underline underline-offset-2">
          sign in to see it for yourself
        </SignInLink>
        .
      </p>
    </div>
  );
}

function Mine({ market, pair, token, userId }: Props & { userId: string }) {
  const { known, isWhole } = useKnown(market, pair, token, userId);
  const [asking, setAsking] = useState(false);
  if (!isWhole) return <SkeletonRows rows={4} />;
  const verdict = judgeFor(known);
  const missing = verdict.conditions.filter(({ met }) => !met);
  return (
    <div className="flex flex-col gap-3" data-eligible={known.buy?.allowed ?? false} data-may-buy={verdict.mayBuy} data-may-sell={verdict.maySell}>
      <Notice tone={missing.length === 0 ? "good" : "warn"} title={verdictWords(verdict, market.tokenSymbol)}>
        {missing.length > 0 ? <p className="text-muted">What you hold stays yours, whatever stands in the way.</p> : null}
      </Notice>
      <Conditions conditions={verdict.conditions} onVerify={() => setAsking(true)} />
      {token ? <Record userId={userId} tokenId={token.id} /> : null}
      {token && asking ? <VerifyMe userId={userId} tokenId={token.id} onClose={() => setAsking(false)} /> : null}
    </div>
  );
}

function useKnown(market: Market, pair: Pair | undefined, token: Props["token"], userId: string): { known: Known; isWhole: boolean } {
  const asked = token !== undefined;
  const buy = useQuery({ ...mayReceive(token?.id ?? "", userId), enabled: asked });
  const balances = useQuery(balancesOf(userId));
  const available = (symbol: string): string => balances.data?.find((balance) => balance.symbol === symbol)?.available ?? "0";
  const holding = available(market.tokenSymbol);
  const sells = asked && holding !== "0";
  const sell = useQuery({ ...maySend(token?.id ?? "", userId, holding), enabled: sells });
  const money = pair && balances.data ? { symbol: pair.quote.symbol, available: available(pair.quote.symbol), least: pair.filters.minNotional } : undefined;
  return {
    known: { marketStatus: market.status, pairStatus: pair?.status ?? null, buy: buy.data, sell: sell.data, money, holding },
    isWhole: !balances.isPending && !(asked && buy.isPending) && !(sells && sell.isPending),
  };
}

function Conditions({ conditions, onVerify }: { conditions: readonly Condition[]; onVerify?: () => void }) {
  return (
    <ul className="flex flex-col gap-1.5" aria-label="What it takes">
      {conditions.map(({ what, met, why, remedy }) => (
        <li key={what} className="flex items-baseline gap-2" data-met={met}>
          <span aria-hidden="true" className={met ? "text-up" : "text-down"}>
            {met ? "✓" : "✕"}
          </span>
          <div className="min-w-0">
            {what}
            <span className="sr-only">{met ? ": yes" : ": no"}</span>
            {why ? <p className="text-[13px] text-muted">{why}</p> : null}
            {remedy === "verify" && onVerify ? (
              <Button small className="mt-1" onClick={onVerify}>
                Have your identity checked
              </Button>
            ) : null}
            {remedy === "deposit" ? (
              <Link to="/funds" className="text-[13px] text-accent underline underline-offset-2">
                Deposit
              </Link>
            ) : null}
          </div>
        </li>
      ))}
    </ul>
  );
}

const SOON_MS = 30 * 86_400_000;

/** What compliance has on record of me, and when it ends. */
function Record({ userId, tokenId }: { userId: string; tokenId: string }) {
  const now = useNow();
  const asked = useQuery(standingOf(userId));
  const record = asked.data?.records.find((each) => each.tokenId === tokenId);
  if (asked.isPending) return <SkeletonRows rows={1} />;
  if (!record) return null;
  if (record.kycStatus === "PENDING") return <p className="text-[13px] text-muted">Your identity is being checked. Without papers a compliance officer decides.</p>;
  const ends = [record.expiresAt, record.accreditationExpiresAt].filter((at): at is string => at !== null).sort()[0];
  const soon = ends !== undefined && new Date(ends).getTime() - now.getTime() < SOON_MS;
  return (
    <p className={soon ? "text-warn" : "text-[13px] text-muted"}>
      On record: level {record.kycLevel}
      {record.jurisdiction ? `, ${record.jurisdiction}` : ""}
      {ends ? (
        <>
          , ends <Time at={ends} shape="relative" />
        </>
      ) : null}
      .
    </p>
  );
}
