import assert from "node:assert/strict";
import { test } from "node:test";
import { bookChecksum, crc32, type Level } from "../src/domain/checksum.ts";
import { depthRows, grouped, spreadOf, stepsOf } from "../src/domain/depth.ts";
import { applied, BookOutOfStep, type Book } from "../src/domain/live_book.ts";

const BIDS: Level[] = [
  ["1000", "1.25"],
  ["999.5", "0.5"],
];
const ASKS: Level[] = [["1000.01", "3"]];

function snapshot(seq: number, bids: Level[], asks: Level[]) {
  return { type: "snapshot", seq, bids, asks, checksum: bookChecksum(bids, asks) };
}

test("the sum is zlib's", () => {
  assert.equal(crc32("123456789"), 0xcbf43926);
  // python: zlib.crc32(b"100001" + b"3" + b"1000" + b"125" + b"9995" + b"5")
  assert.equal(bookChecksum(BIDS, ASKS), 4274797786);
  assert.equal(bookChecksum([], []), 0);
});

test("an update changes, adds and takes away", () => {
  const first = applied(null, snapshot(7, BIDS, ASKS));
  const bids: Level[] = [["1000", "2"], ["999.7", "1"]];
  const next = applied(first, {
    type: "update",
    prevSeq: 7,
    seq: 9,
    bids: [["999.5", "0"], ["1000", "2"], ["999.7", "1"]],
    asks: [["1000.01", "0"], ["1001", "4"]],
    checksum: bookChecksum(bids, [["1001", "4"]]),
  });
  assert.deepEqual(next, { seq: 9, bids, asks: [["1001", "4"]] });
  assert.deepEqual(first?.bids, BIDS, "the book before is as it was");
});

test("an update that does not follow, or sums to something else, is no book", () => {
  const first = applied(null, snapshot(7, BIDS, ASKS)) as Book;
  const update = { type: "update", prevSeq: 6, seq: 8, bids: [], asks: [], checksum: bookChecksum(BIDS, ASKS) };
  assert.throws(() => applied(first, update), BookOutOfStep);
  assert.throws(() => applied(first, { ...update, prevSeq: 7, checksum: 1 }), BookOutOfStep);
  assert.equal(applied(first, { ...update, prevSeq: 7 })?.seq, 8);
  assert.equal(applied(null, update), null, "what is under way while nothing is known");
});

test("groups never look better than what is in them", () => {
  assert.deepEqual(grouped([["10.09", "1"], ["10.01", "2"], ["9.99", "4"]], "bids", "0.1"), [["10", "3"], ["9.9", "4"]]);
  assert.deepEqual(grouped([["10.01", "1"], ["10.1", "2"], ["10.11", "4"]], "asks", "0.1"), [["10.1", "3"], ["10.2", "4"]]);
  assert.deepEqual(stepsOf("0.01"), ["0.01", "0.1", "1", "10"]);
});

test("depth adds up from the best outwards", () => {
  const rows = depthRows([["3", "1"], ["2", "1"], ["1", "2"]], 3);
  assert.deepEqual(rows.map(({ total, share }) => [total, share]), [["1", 250], ["2", 500], ["4", 1000]]);
});

test("the spread is exact", () => {
  assert.deepEqual(spreadOf("1000", "1000.01"), { width: "0.01", middle: "1000.005", bps: "0.09" });
  assert.equal(spreadOf(undefined, "1"), null);
});
