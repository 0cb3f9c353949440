/** What was chosen and typed: kept for the tab, so that neither a reload nor another page loses it. */

import { EMPTY_SWAP, type SwapDraft } from "../../domain/swap.ts";
import { createStore, useStore } from "../../state/store.ts";

const KEY = "deedbook.swap";

const draft = createStore<SwapDraft>(remembered());
draft.subscribe(() => sessionStorage.setItem(KEY, JSON.stringify(draft.get())));

function remembered(): SwapDraft {
  try {
    return { ...EMPTY_SWAP, ...(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<SwapDraft>) };
  } catch {
    return EMPTY_SWAP;
  }
}

export function useSwapDraft(): readonly [SwapDraft, (change: Partial<SwapDraft>) => void] {
  return [useStore(draft), (change) => draft.set((before) => ({ ...before, ...change }))];
}
