import assert from "node:assert/strict";
import { test } from "node:test";
import { dueAt, inWords, isLate } from "../src/domain/agreed_time.ts";

const SINCE = "2026-11-26T10:00:00.000000Z";

test("an answer is due when the agreed time is over, and late only after it", () => {
  assert.equal(dueAt(SINCE, 3600), "2026-11-26T11:00:00.000Z");
  assert.equal(isLate(SINCE, 3600, new Date("2026-11-26T11:00:00Z")), false);
  assert.equal(isLate(SINCE, 3600, new Date("2026-11-26T11:00:00.001Z")), true);
});

test("the agreed time is said in the largest unit that fits", () => {
  assert.deepEqual([86_400, 172_800, 90_000, 90, 61].map(inWords), ["1 day", "2 days", "25 hours", "90 seconds", "61 seconds"]);
});
