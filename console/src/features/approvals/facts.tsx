import type { ReactNode } from "react";
import { lines } from "../../domain/free_form.ts";
import { regulation } from "../../domain/regulation.ts";
import { sentence } from "../../domain/words.ts";
import { Facts, Hex, Money, Notice, Nothing, Quantity, Time } from "../../ui/index.ts";
import type { Details } from "./queries.ts";

/** What the issuer says of the asset, in their own words, and what its token would be. */
export function AssetFacts({ details: { market, asset } }: { details: Details }) {
  return (
    <div className="flex flex-col gap-5">
      {market.description ? (
        <p className="max-w-prose whitespace-pre-wrap" dir="auto">
          {market.description}
        </p>
      ) : null}
      <Group title="Asset">
        {[
          ["Type", sentence(market.assetType)],
          ["Valuation", <Money value={asset.valuation} unit={asset.currency ?? ""} />],
          ...lines({ location: asset.location }),
          ...lines(asset.attributes),
        ]}
      </Group>
      <Group title="Regulation">{regulation(asset.regulatoryInfo)}</Group>
      <Group title="Token">
        {[
          ["Name", market.tokenName],
          ["Symbol", market.tokenSymbol],
          ["Initial supply", <Quantity value={market.totalSupply} unit={market.tokenSymbol} />],
          ["Supply cap", <Quantity value={market.supplyCap} unit={market.tokenSymbol} />],
          ["Decimals", String(market.decimals)],
          ["Goes to", <Hex value={market.issuerAccount} />],
        ]}
      </Group>
      <Group title="Registration">
        {[
          ["Submitted", <Time at={market.createdAt} />],
          ["Version seen", String(market.version)],
          ["Market", <Hex value={market.id} />],
        ]}
      </Group>
    </div>
  );
}

function Group({ title, children }: { title: string; children: readonly (readonly [string, ReactNode])[] }) {
  return (
    <section>
      <h3 className="mb-1.5 text-[13px] font-semibold tracking-wide text-muted">{title}</h3>
      {children.length > 0 ? <Facts facts={children} /> : <Nothing said="nothing was said" />}
    </section>
  );
}

/** What of it deserves a second look. Hints to the officer, no rules of the platform. */
export function Gaps({ details: { market, asset } }: { details: Details }) {
  const gaps = [
    asset.documents.length === 0 && "No document is on record.",
    !asset.valuation && "No valuation is given.",
    lines(asset.regulatoryInfo).length === 0 && "Nothing is said about regulation.",
    !market.description && "There is no description.",
  ].filter((gap): gap is string => Boolean(gap));
  if (gaps.length === 0) return null;
  return (
    <Notice tone="warn" title="Look twice">
      <ul className="list-disc pl-5">
        {gaps.map((gap) => (
          <li key={gap}>{gap}</li>
        ))}
      </ul>
    </Notice>
  );
}
