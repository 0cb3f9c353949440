import assert from "node:assert/strict";
import { test } from "node:test";
import { distanceBps, perToken } from "../src/domain/valuation.ts";

test("a valuation is shared out among all tokens", () => {
  assert.equal(perToken("25000000", "1000000"), "25");
  assert.equal(perToken("10", "3"), "3.333333");
  assert.equal(perToken(null, "3"), null);
  assert.equal(perToken("10", "0"), null);
});

test("the distance is towards zero, on both sides", () => {
  assert.equal(distanceBps("26", "25"), 400);
  assert.equal(distanceBps("24.9999", "25"), 0);
  assert.equal(distanceBps("20", "25"), -2000);
  assert.equal(distanceBps("1", "0"), null);
  assert.equal(distanceBps("100000000000000000000", "0.000001"), null);
});
