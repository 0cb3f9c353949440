/**
 * A copy of an order book, kept from the feed and never wrong without saying so. Pure: a book and a message in, the next
 * book out. Where it is out of step there is none, and the next snapshot mends whatever was wrong.
 */

import { bookChecksum, type Level } from "./checksum.ts";
import { compare, isZero } from "./decimal.ts";

export interface Book {
  readonly seq: number;
  /** Best first. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface BookMessage {
  readonly type: string;
  readonly prevSeq?: number | null;
  readonly seq: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly checksum: number;
}

/** The copy is not the book: something is missing, or came out wrong. Subscribe again. */
export class BookOutOfStep extends Error {
  override readonly name = "BookOutOfStep";
}

/**
 * @returns `null` while nothing is known yet: what is under way when a book was dropped.
 * @throws BookOutOfStep
 */
export function applied(book: Book | null, message: BookMessage): Book | null {
  const fresh = message.type === "snapshot";
  if (!fresh && book === null) return null;
  if (!fresh && book !== null && message.prevSeq !== book.seq) {
    throw new BookOutOfStep(`${message.prevSeq} does not follow ${book.seq}`);
  }
  const next = {
    seq: message.seq,
    bids: changed(fresh || !book ? [] : book.bids, message.bids, -1),
    asks: changed(fresh || !book ? [] : book.asks, message.asks, 1),
  };
  if (bookChecksum(next.bids, next.asks) !== message.checksum) {
    throw new BookOutOfStep(`the checksum of ${message.seq} is another`);
  }
  return next;
}

/** A side with these levels put in, changed or taken away. `sign` is 1 where the lowest is best. */
function changed(side: readonly Level[], levels: readonly Level[], sign: 1 | -1): Level[] {
  const next = [...side];
  for (const level of levels) {
    const place = placeOf(next, level[0], sign);
    const there = next[place] !== undefined && compare(next[place][0], level[0]) === 0;
    if (!isZero(level[1])) next.splice(place, there ? 1 : 0, level);
    else if (there) next.splice(place, 1);
  }
  return next;
}

/** Where a price stands, or would stand. */
function placeOf(side: readonly Level[], price: string, sign: 1 | -1): number {
  let [low, high] = [0, side.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(side[middle]?.[0] ?? price, price) * sign < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
