import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { ask, pairs, type Pair } from "../../api/queries.ts";
import { heldBy, whyNot } from "../../domain/record_effect.ts";
import { Loaded, Notice, Quantity, SkeletonRows } from "../../ui/index.ts";
import { rulesOf } from "../trading/pairs.ts";
import { LastDay } from "./last_day.tsx";
import { OrdersThatEnd } from "./open_orders.tsx";
import { openOrdersOn } from "./queries.ts";

type Body = Schemas["SetRecord"];
type Preview = Schemas["RecordPreviewAnswer"];

/** What a record would do, asked of the routine that ends orders, so that both say the same. */
export function effectOf(userId: string, body: Body) {
  return ask({
    queryKey: ["compliance", "effect", userId, body],
    queryFn: ({ signal }) => api.post("/api/v1/tokens/compliance/{userId}/preview", { path: { userId }, body, signal }),
    staleTime: 0,
    gcTime: 0,
  });
}

interface Props {
  readonly userId: string;
  readonly symbol: string;
  /** What the record would do as the form has it: what was said to another one never stands beside it. */
  readonly effect: UseQueryResult<Preview>;
}

/** What the record would do to its user's open orders, before it is written. */
export function RecordEffect({ userId, symbol, effect }: Props) {
  return (
    <div aria-live="polite" aria-busy={effect.isPending} data-testid="record-effect">
      <Loaded of={effect} waiting={<SkeletonRows rows={2} />}>
        {(told) => (told.after.allowed ? <MayTrade told={told} symbol={symbol} /> : <MayNotTrade told={told} symbol={symbol} userId={userId} />)}
      </Loaded>
    </div>
  );
}

function MayTrade({ told: { before, after }, symbol }: { told: Preview; symbol: string }) {
  return (
    <Notice tone="info" title={before.allowed ? "No order ends" : `They may trade ${symbol} from then on`}>
      {after.until ? (
        <>
          They may trade {symbol} until <LastDay at={after.until} />; what is open then ends.
        </>
      ) : (
        <>They may trade {symbol} without an end.</>
      )}
    </Notice>
  );
}

function MayNotTrade({ told: { before, after }, symbol, userId }: { told: Preview; symbol: string; userId: string }) {
  const known = useQuery(pairs);
  return (
    <Notice tone="warn" title={before.allowed ? `They may not trade ${symbol} any more` : `They may not trade ${symbol}, as now`}>
      <div className="flex flex-col gap-1">
        <p>Because {whyNot(after.reason)}.</p>
        <Loaded of={known} waiting={<SkeletonRows rows={2} />}>
          {(found) => <Ending userId={userId} of={found.filter(({ base }) => base.symbol === symbol)} />}
        </Loaded>
      </div>
    </Notice>
  );
}

/** Their open orders on these pairs, and what those have set aside. */
function Ending({ userId, of }: { userId: string; of: readonly Pair[] }) {
  const asked = useQuery(openOrdersOn(userId, of.map(({ symbol }) => symbol)));
  return (
    <Loaded of={asked} waiting={<SkeletonRows rows={2} />}>
      {(open) => (
        <>
          <OrdersThatEnd of={open} />
          <Held held={heldBy(open.orders, new Map(of.map((pair) => [pair.symbol, rulesOf(pair)])))} atLeast={open.hasMore} />
        </>
      )}
    </Loaded>
  );
}

function Held({ held, atLeast }: { held: ReadonlyMap<string, string>; atLeast: boolean }) {
  if (held.size === 0) return null;
  return (
    <p>
      Available to them again:{atLeast ? " at least" : ""}{" "}
      {[...held].map(([symbol, amount], place) => (
        <span key={symbol}>
          {place > 0 ? ", " : ""}
          <Quantity value={amount} unit={symbol} />
        </span>
      ))}
      .
    </p>
  );
}
