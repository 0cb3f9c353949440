/** What was typed into a pair's ticket: kept for the tab, so that neither a reload nor another page loses it. */

import { readAmount } from "../../domain/decimal.ts";
import { EMPTY_DRAFT, type Draft } from "../../domain/ticket.ts";
import { createStore, useStore, type Store } from "../../state/store.ts";

const drafts = new Map<string, Store<Draft>>();

function key(pair: string): string {
  return `deedbook.draft.${pair}`;
}

export function draftOf(pair: string): Store<Draft> {
  const known = drafts.get(pair);
  if (known) return known;
  const store = createStore<Draft>(remembered(pair));
  store.subscribe(() => sessionStorage.setItem(key(pair), JSON.stringify(store.get())));
  drafts.set(pair, store);
  return store;
}

function remembered(pair: string): Draft {
  try {
    return { ...EMPTY_DRAFT, ...(JSON.parse(sessionStorage.getItem(key(pair)) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY_DRAFT;
  }
}

export function useDraft(pair: string): readonly [Draft, (change: Partial<Draft>) => void] {
  const store = draftOf(pair);
  return [useStore(store), (change) => store.set((before) => ({ ...before, ...change }))];
}

/** From the book: this price, and where nothing was typed yet this much. */
export function fillFromBook(pair: string, price: string, total: string): void {
  draftOf(pair).set((before) => ({
    ...before,
    orderType: before.orderType === "MARKET" ? "LIMIT" : before.orderType,
    price,
    quantity: readAmount(before.quantity) ? before.quantity : total,
  }));
}
