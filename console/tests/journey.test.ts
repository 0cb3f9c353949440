import assert from "node:assert/strict";
import { test } from "node:test";
import { isMoving, stagesOf, type Happened } from "../src/domain/journey.ts";

const happened = (...types: string[]): Happened[] =>
  types.map((type, place) => ({ eventType: `market.${type}`, reason: `why ${type}`, createdAt: `2026-01-01T00:00:0${place}Z` }));
const states = (...given: Parameters<typeof stagesOf>): string => stagesOf(...given).map(({ state }) => state).join(" ");

test("each state of a market stands at its place on the way", () => {
  assert.equal(states("pending_approval", happened("registered"), null), "done now next next");
  assert.equal(states("activating", happened("registered", "approved", "activation_started"), null), "done done now next");
  const live = happened("registered", "approved", "activation_started", "activated");
  assert.equal(states("active", live, null), "done done done now");
  assert.equal(states("active", live, "X-USDC"), "done done done done");
  assert.equal(states("rejected", happened("registered", "rejected"), null), "done failed next next");
});

test("a deployment that has failed says why, and is under way again once it was started again", () => {
  const failed = happened("registered", "approved", "activation_started", "activation_failed");
  assert.equal(stagesOf("approved", failed, null)[2]?.note, "why activation_failed");
  assert.equal(states("approved", failed, null), "done done failed next");
  assert.equal(states("activating", [...failed, ...happened("activation_started")], null), "done done now next");
});

test("only what is still to come by itself is looked at often", () => {
  assert.deepEqual(["pending_approval", "activating", "approved"].map(isMoving), [true, true, true]);
  assert.deepEqual(["active", "paused", "rejected", "archived"].map(isMoving), [false, false, false, false]);
});
