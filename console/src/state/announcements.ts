/** What is said to those who listen rather than look: one polite region in the shell. */

import { createStore } from "./store.ts";

export const announcements = createStore<{ readonly text: string; readonly number: number }>({ text: "", number: 0 });

export function announce(text: string): void {
  announcements.set(({ number }) => ({ text, number: number + 1 }));
}
