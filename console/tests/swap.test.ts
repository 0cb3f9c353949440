import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_SWAP, fitting, isTooLittle, routeOf, swapIsOver, swapProblem, swapSteps, targetsOf, tokensOf, type SwapPair } from "../src/domain/swap.ts";

const pair = (base: string, status = "active"): SwapPair => ({
  symbol: `${base}-USDC`,
  status,
  base: { symbol: base, decimals: 18 },
  quote: { symbol: "USDC", decimals: 6 },
});
const PAIRS = [pair("HARBOR"), pair("WHARF", "paused"), pair("GONE", "closed")];

test("a way from one token to the other", () => {
  assert.deepEqual(tokensOf(PAIRS), ["USDC", "HARBOR", "WHARF"]);
  assert.deepEqual(targetsOf("USDC", PAIRS), ["HARBOR", "WHARF"]);
  assert.deepEqual(targetsOf("HARBOR", PAIRS), ["USDC"]);
  assert.equal(routeOf("USDC", "WHARF", PAIRS)?.side, "BUY");
  assert.equal(routeOf("WHARF", "USDC", PAIRS)?.side, "SELL");
  assert.equal(routeOf("HARBOR", "WHARF", PAIRS), null);
  assert.equal(routeOf("USDC", "GONE", PAIRS), null);
});

test("tokens that fit together, whatever was remembered", () => {
  const tokens = (draft: object): string[] => {
    const { from, to } = fitting({ ...EMPTY_SWAP, ...draft }, PAIRS);
    return [from, to];
  };
  assert.deepEqual(tokens({}), ["USDC", "HARBOR"]);
  assert.deepEqual(tokens({ from: "WHARF", to: "HARBOR" }), ["WHARF", "USDC"]);
  assert.deepEqual(tokens({ from: "GONE", to: "USDC" }), ["USDC", "HARBOR"]);
  assert.deepEqual([fitting(EMPTY_SWAP, []).from, fitting(EMPTY_SWAP, []).to], ["", ""]);
});

test("amounts as they are typed", () => {
  assert.equal(swapProblem("", 6), null);
  assert.equal(swapProblem("1,000.5", 6), null);
  assert.match(swapProblem("0,5", 6) ?? "", /positive amount/);
  assert.match(swapProblem("0", 6) ?? "", /positive amount/);
  assert.match(swapProblem("1.0000001", 6) ?? "", /At most 6 places/);
  assert.equal(swapProblem("1.0000000", 6), null);
});

test("too little to be taken", () => {
  assert.equal(isTooLittle("BUY", "0", "1", 25), true);
  assert.equal(isTooLittle("BUY", "0.000001", "1", 25), false);
  assert.equal(isTooLittle("SELL", "0.9974", "1", 25), true);
  assert.equal(isTooLittle("SELL", "0.9975", "1", 25), false);
});

test("the way of a swap", () => {
  const states = (status: string, settlementStatus: string | null = null): string =>
    swapSteps({ status, reason: "min_amount_out", settlementStatus }).map(({ state }) => state).join(" ");
  assert.equal(states("PENDING_MATCH"), "done now next");
  assert.equal(states("FILLED", "PENDING"), "done done now");
  assert.equal(states("FILLED", "SETTLED"), "done done done");
  assert.equal(states("FILLED", "FAILED"), "done done failed");
  assert.equal(states("CANCELLED"), "done failed");
  assert.match(swapSteps({ status: "CANCELLED", reason: "min_amount_out", settlementStatus: null }).at(-1)?.note ?? "", /book had moved.*yours again/);
  assert.match(swapSteps({ status: "REJECTED", reason: "some_other_word", settlementStatus: null }).at(-1)?.note ?? "", /Some other word\./);
  const over = (status: string, settlementStatus: string | null): boolean => swapIsOver({ status, reason: null, settlementStatus });
  assert.equal(over("PENDING_MATCH", null), false);
  assert.equal(over("FILLED", "SUBMITTED"), false);
  assert.equal(over("FILLED", null), false);
  assert.equal(over("FILLED", "SETTLED"), true);
  assert.equal(over("CANCELLED", null), true);
});
