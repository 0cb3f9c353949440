import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { yieldOf } from "../../domain/valuation.ts";
import { Nothing } from "../../ui/index.ts";
import { detailsOf } from "./queries.ts";
import { useSeen } from "./seen.ts";

/** What the issuer says that the asset yields in a year. Asked for when its row comes into sight, and not before. */
export function Yield({ market }: { market: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const asked = useQuery({ ...detailsOf(market), enabled: useSeen(place), staleTime: Infinity });
  const said = asked.data ? yieldOf(asked.data.asset.attributes) : null;
  return (
    <span ref={place} className="figures inline-block w-24 truncate text-right align-bottom" title={said ? "As its issuer says" : undefined} data-yield={market}>
      {said ?? (asked.data ? <Nothing said="not said" /> : "\u00a0")}
    </span>
  );
}
