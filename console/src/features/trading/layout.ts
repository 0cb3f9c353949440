/** How large the parts of the wide trade screen are: chosen by whoever looks, remembered in the browser. */

import { createStore, useStore } from "../../state/store.ts";

export type Part = "chartHeight" | "bookWidth" | "ticketWidth" | "tapeHeight";

interface Bounds {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

export const PARTS: Readonly<Record<Part, Bounds>> = {
  chartHeight: { name: "Height of chart and book", least: 240, most: 900, usual: 500 },
  bookWidth: { name: "Width of the book", least: 220, most: 420, usual: 272 },
  ticketWidth: { name: "Width of the ticket", least: 280, most: 480, usual: 320 },
  tapeHeight: { name: "Height of recent trades", least: 120, most: 900, usual: 320 },
};

/** How far one press of a key or a button goes. */
export const STEP = 20;

export type Sizes = Readonly<Record<Part, number>>;

const KEY = "deedbook.layout";
const USUAL: Sizes = {
  chartHeight: PARTS.chartHeight.usual,
  bookWidth: PARTS.bookWidth.usual,
  ticketWidth: PARTS.ticketWidth.usual,
  tapeHeight: PARTS.tapeHeight.usual,
};

const sizes = createStore<Sizes>(remembered());

/** What was stored may be of an older page, or of somebody who played with it. */
function remembered(): Sizes {
  try {
    const told = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Record<Part, unknown>>;
    const known = Object.entries(USUAL).map(([part, usual]) => {
      const size = told[part as Part];
      return [part, typeof size === "number" ? within(part as Part, size) : usual] as const;
    });
    return Object.fromEntries(known) as unknown as Sizes;
  } catch {
    return USUAL;
  }
}

function within(part: Part, size: number): number {
  const { least, most } = PARTS[part];
  return Math.min(most, Math.max(least, Math.round(size)));
}

export function useSizes(): Sizes {
  return useStore(sizes);
}

export function sizeOf(part: Part): number {
  return sizes.get()[part];
}

export function resize(part: Part, size: number): void {
  sizes.set((before) => ({ ...before, [part]: within(part, size) }));
  localStorage.setItem(KEY, JSON.stringify(sizes.get()));
}

export function resetSizes(): void {
  sizes.set(USUAL);
  localStorage.removeItem(KEY);
}
