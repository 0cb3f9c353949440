import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSession } from "../../state/session.ts";
import { Badge, Facts, Hex, Loaded, Notice, Nothing, SkeletonRows, Status, Time } from "../../ui/index.ts";
import { LastDay } from "../compliance/last_day.tsx";
import { standingOf, type Standing } from "../compliance/queries.ts";
import { Person } from "../staff/person.tsx";
import { historyOf, issuedBy, issuerOf, type Details } from "./queries.ts";

/** Who asks: their standing with compliance, and what they have issued before. */
export function Issuer({ details: { market } }: { details: Details }) {
  const history = useQuery(historyOf(market.id));
  return (
    <Loaded of={history} waiting={<SkeletonRows rows={3} />}>
      {(events) => <Credentials userId={issuerOf(events)} issuerId={market.issuerId} marketId={market.id} />}
    </Loaded>
  );
}

function Credentials({ userId, issuerId, marketId }: { userId: string | null; issuerId: string; marketId: string }) {
  const { session } = useSession();
  if (!userId) return <Notice tone="warn">Nobody is on record as the one who registered this.</Notice>;
  return (
    <div className="flex flex-col gap-4">
      {userId === session?.userId ? (
        <Notice tone="bad" title="You registered this yourself">
          Another officer has to decide.
        </Notice>
      ) : null}
      <StandingFacts userId={userId} issuerId={issuerId} />
      <Before issuerId={issuerId} marketId={marketId} />
    </div>
  );
}

/** How somebody stands with compliance, whatever they ask for. */
export function StandingFacts({ userId, issuerId }: { userId: string; issuerId?: string }) {
  const standing = useQuery(standingOf(userId));
  return (
    <Loaded of={standing} waiting={<SkeletonRows rows={3} />}>
      {(told) => (
        <Facts
          facts={[
            ["Account", <Person userId={userId} account={told.account} />],
            ...(issuerId ? [["Acts for", <Hex value={issuerId} />] as const] : []),
            ["Freeze", told.frozen ? <Flag bad>Frozen: {told.frozenReason}</Flag> : <Flag>Not frozen</Flag>],
            ["Sanctions", <Screening standing={told} />],
            ["KYC", <Kyc standing={told} />],
          ]}
        />
      )}
    </Loaded>
  );
}

function Flag({ bad, children }: { bad?: boolean; children: ReactNode }) {
  return <span className={bad ? "font-medium text-down" : "text-text"}>{children}</span>;
}

function Screening({ standing }: { standing: Standing }) {
  if (standing.sanctioned) return <Flag bad>On the list</Flag>;
  if (!standing.screenedAt) return <span className="text-warn">Never screened</span>;
  return (
    <>
      Clear, screened <Time at={standing.screenedAt} shape="day" />
    </>
  );
}

function Kyc({ standing }: { standing: Standing }) {
  if (standing.records.length === 0) return <span className="text-warn">No record for any token</span>;
  return (
    <ul className="flex flex-col gap-1">
      {standing.records.map((record) => (
        <li key={record.tokenId} className="flex flex-wrap items-baseline gap-x-2">
          <Status of={record.kycStatus} />
          <span>
            level {record.kycLevel}
            {record.jurisdiction ? `, ${record.jurisdiction}` : ""}
          </span>
          <span className="text-[13px] text-muted">
            {record.expiresAt ? (
              <>
                until <LastDay at={record.expiresAt} />
              </>
            ) : (
              "without an end"
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Before({ issuerId, marketId }: { issuerId: string; marketId: string }) {
  const issued = useQuery(issuedBy(issuerId));
  return (
    <section>
      <h3 className="mb-1.5 text-[13px] font-semibold tracking-wide text-muted">Also from this issuer</h3>
      <Loaded of={issued} waiting={<SkeletonRows rows={2} />}>
        {(markets) => {
          const others = markets.filter(({ id }) => id !== marketId);
          if (others.length === 0) return <Nothing said="nothing before" />;
          return (
            <ul className="flex flex-col gap-1">
              {others.map((market) => (
                <li key={market.id} className="flex flex-wrap items-baseline justify-between gap-x-2">
                  <span className="line-clamp-2 min-w-0" dir="auto" title={market.name}>
                    {market.name}
                  </span>
                  <Badge>{market.tokenSymbol}</Badge>
                  <Status of={market.status} />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </section>
  );
}
