/** A market's way from its registration to trading, as steps: read from its status, dated by its history. */

import type { Market } from "../../api/queries.ts";
import type { Schemas } from "../../api/client.ts";

type Event = Schemas["MarketEventAnswer"];

export interface LifeStep {
  readonly title: string;
  readonly state: "done" | "now" | "next" | "failed";
  readonly at: string | null;
}

const PLACE: Readonly<Record<string, number>> = {
  draft: 0,
  pending_approval: 1,
  rejected: 1,
  approved: 2,
  activating: 2,
  active: 4,
  paused: 4,
  archived: 4,
};

export function lifeSteps(market: Market, events: readonly Event[]): LifeStep[] {
  const at = (type: string): string | null => events.find(({ eventType }) => eventType === type)?.createdAt ?? null;
  const reached = PLACE[market.status] ?? 0;
  const steps = [
    { title: "Registered by its issuer", at: market.createdAt },
    { title: market.status === "rejected" ? "Rejected by compliance" : "Approved by compliance", at: market.approvedAt ?? at("market.rejected") },
    { title: "Token deployed, supply minted", at: market.activatedAt },
    { title: "Live: the pair is open", at: market.activatedAt },
  ];
  const shown = steps.map((step, place): LifeStep => {
    if (market.status === "rejected" && place === 1) return { ...step, state: "failed" };
    const isNext = market.status === "rejected" || place > reached;
    return { ...step, state: place < reached ? "done" : isNext ? "next" : "now", at: place < reached ? step.at : null };
  });
  return market.status === "archived" ? [...shown, { title: "Archived", state: "done", at: at("market.archived") }] : shown;
}
