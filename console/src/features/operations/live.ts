/** How the installation works, as the channel `ops` tells it each second. */

import { useCallback, useState } from "react";
import { useEvents } from "../../live/hooks.ts";
import type { FeedMessage } from "../../live/topics.ts";

export interface Operations {
  readonly ts: string;
  readonly queues: readonly {
    readonly name: string;
    readonly pending: number;
    readonly failed: number;
    readonly oldestPendingAt: string | null;
  }[];
  readonly relayLagMs: Readonly<Record<string, number>>;
  readonly lane: Readonly<Record<string, number>>;
  readonly watcher: { readonly block: number; readonly stoppedReason: string | null } | null;
  readonly reconciliation: { readonly breaks: number; readonly comparedAt: string } | null;
  readonly stuck: { readonly orders: number; readonly commands: number; readonly since: string | null };
}

/** Nothing until the first figures are there. */
export function useOperations(): Operations | null {
  const [told, setTold] = useState<Operations | null>(null);
  useEvents(
    "ops",
    useCallback((message: FeedMessage) => setTold(message as unknown as Operations), []),
  );
  return told;
}
