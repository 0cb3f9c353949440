import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { ask, pairs } from "../../api/queries.ts";
import { heldBy, ordersOn, whyNot } from "../../domain/record_effect.ts";
import { Loaded, Notice, Quantity, SkeletonRows } from "../../ui/index.ts";
import { rulesOf } from "../trading/pairs.ts";
import { LastDay } from "./last_day.tsx";
import { OrdersThatEnd } from "./open_orders.tsx";
import { exposureOf } from "./queries.ts";

type Body = Schemas["SetRecord"];
type Preview = Schemas["RecordPreviewAnswer"];

interface Props {
  readonly userId: string;
  readonly symbol: string;
  /** The record as the form has it. */
  readonly body: Body;
}

/** Asked of the routine that ends orders, so that both say the same. */
function effectOf(userId: string, body: Body) {
  return ask({
    queryKey: ["compliance", "effect", userId, body],
    queryFn: ({ signal }) => api.post("/api/v1/tokens/compliance/{userId}/preview", { path: { userId }, body, signal }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

/** What the record would do to its user's open orders, before it is written. */
export function RecordEffect({ userId, symbol, body }: Props) {
  const asked = useQuery(effectOf(userId, body));
  return (
    <div aria-live="polite" aria-busy={asked.isPlaceholderData} data-testid="record-effect">
      <Loaded of={asked} waiting={<SkeletonRows rows={2} />}>
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
  const exposure = useQuery({ ...exposureOf(userId), staleTime: 0 });
  const known = useQuery(pairs);
  return (
    <Notice tone="warn" title={before.allowed ? `They may not trade ${symbol} any more` : `They may not trade ${symbol}, as now`}>
      <div className="flex flex-col gap-1">
        <p>Because {whyNot(after.reason)}.</p>
        <Loaded of={exposure} waiting={<SkeletonRows rows={2} />}>
          {({ orders, hasMoreOrders }) => {
            const ending = ordersOn(symbol, orders);
            return (
              <>
                <OrdersThatEnd orders={ending} hasMore={hasMoreOrders} />
                <Held held={heldBy(ending, new Map((known.data ?? []).map((pair) => [pair.symbol, rulesOf(pair)])))} />
              </>
            );
          }}
        </Loaded>
      </div>
    </Notice>
  );
}

function Held({ held }: { held: ReadonlyMap<string, string> }) {
  if (held.size === 0) return null;
  return (
    <p>
      Available to them again:{" "}
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
