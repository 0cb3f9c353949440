/** Which open order is being changed: asked for by the table, the book or the chart, answered by one dialog. */

import { createStore } from "../../state/store.ts";

export interface Editing {
  readonly pair: string;
  /** Those that stand where it was asked; the first is changed unless another is chosen. */
  readonly orderIds: readonly string[];
  /** Where it was drawn to. */
  readonly price: string | null;
}

export const editing = createStore<Editing | null>(null);

export function editOrders(pair: string, orderIds: readonly string[], price: string | null = null): void {
  editing.set({ pair, orderIds, price });
}

export function stopEditing(): void {
  editing.set(null);
}
