/** How the installation works, as the channel `ops` tells it each second. */

import { useCallback, useState } from "react";
import { useConnectionState, useEvents } from "../../live/hooks.ts";
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

interface Heard {
  /** Nothing until the first are there. */
  readonly figures: Operations | null;
  /** The line is cut: how it is now nobody knows. They come when they change, so that silence alone says nothing. */
  readonly isLate: boolean;
}

export function useOperations(): Heard {
  const [figures, setFigures] = useState<Operations | null>(null);
  useEvents(
    "ops",
    useCallback((message: FeedMessage) => setFigures(message as unknown as Operations), []),
  );
  const connection = useConnectionState();
  return { figures, isLate: figures !== null && connection.kind !== "live" };
}
