/** What the page that is open can do besides, for the command menu. */

import { useEffect } from "react";
import { createStore } from "./store.ts";

export interface Command {
  readonly name: string;
  readonly hint: string;
  readonly run: () => void;
}

export const offered = createStore<readonly Command[]>([]);

/** Offer these as long as the page stands. The list must stay the same as long as it says the same. */
export function useOffered(commands: readonly Command[]): void {
  useEffect(() => {
    offered.set(commands);
    return () => offered.set([]);
  }, [commands]);
}
