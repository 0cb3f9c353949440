/** The sum by which two copies of an order book are compared: CRC-32 as zlib has it, over the best ten levels. */

import type { Decimal } from "./decimal.ts";

export type Level = readonly [price: Decimal, quantity: Decimal];

const LEVELS = 10;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(text: string): number {
  let sum = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

/** Asks from the lowest, then bids from the highest; of each its price and its quantity, without the point and without
 * leading zeros. */
export function bookChecksum(bids: readonly Level[], asks: readonly Level[]): number {
  const digits = [asks, bids].flatMap((side) =>
    side.slice(0, LEVELS).flatMap((level) => level.map((text) => text.replace(".", "").replace(/^0+/, ""))),
  );
  return crc32(digits.join(""));
}
