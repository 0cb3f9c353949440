import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../../api/client.ts";
import type { Pair } from "../../api/queries.ts";
import { distanceBps, perToken } from "../../domain/valuation.ts";
import { Change, EmptyState, Money, Nothing, Panel, Stat, Time } from "../../ui/index.ts";
import { priceOf } from "./queries.ts";

/** What the issuer says that it is worth, beside what it trades at and what others say. */
export function Worth({ details: { market, asset }, pair }: { details: Schemas["MarketDetailsAnswer"]; pair: Pair | undefined }) {
  const asked = useQuery({ ...priceOf(pair?.symbol ?? ""), enabled: pair !== undefined });
  const worth = perToken(asset.valuation, market.totalSupply);
  const price = asked.data?.price ?? null;
  const apart = worth && price ? distanceBps(price, worth) : null;
  const outside = asked.data?.reference;
  if (!asset.valuation && !price) {
    return (
      <Panel title="Worth">
        <EmptyState title="Nobody has said yet what it is worth">The issuer gives no valuation, and nothing has been traded.</EmptyState>
      </Panel>
    );
  }
  return (
    <Panel title="Worth">
      <div className="grid gap-4 sm:grid-cols-2">
        <Stat label="Last price" hint={asked.data?.timestamp ? <Time at={asked.data.timestamp} shape="relative" /> : null}>
          <Money value={price} unit={pair?.quote.symbol ?? ""} />
        </Stat>
        <Stat label="Valuation per token" hint={asset.valuation ? <>of <Money value={asset.valuation} unit={asset.currency ?? ""} />, as registered</> : null}>
          <Money value={worth} unit={asset.currency ?? ""} />
        </Stat>
        <Stat label="Price against valuation">{apart === null ? <Nothing said="cannot be compared" /> : <Change bps={apart} />}</Stat>
        <Stat label="Price outside" hint={outside?.observedAt ? <Time at={outside.observedAt} shape="relative" /> : "No source is asked"}>
          {outside ? <Money value={outside.price} unit={pair?.quote.symbol ?? ""} /> : <Nothing />}
        </Stat>
      </div>
    </Panel>
  );
}
