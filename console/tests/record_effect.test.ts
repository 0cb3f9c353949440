import assert from "node:assert/strict";
import { test } from "node:test";
import { heldBy, whyNot, type OpenOrder } from "../src/domain/record_effect.ts";
import { RULES } from "./pair_rules.ts";

const order = (pair: string, side: string, remainingQuantity: string, worstPrice: string): OpenOrder => ({ pair, side, remainingQuantity, worstPrice });
const ORDERS = [
  order("A-B-USDC", "BUY", "0.5", "990"),
  order("A-B-USDC", "BUY", "0.25", "100"),
  order("A-B-USDC", "SELL", "2", "1005"),
  order("A-USDC", "SELL", "7", "10"),
];

test("what orders hold: the token that is sold, whatever hyphens its symbol has, and what is paid at worst for what is bought", () => {
  const received = new Map([["A-B-USDC", { ...RULES, feeMode: "received" }]]);
  assert.deepEqual([...heldBy(ORDERS, received)], [["USDC", "520"], ["A-B", "2"]]);
  const onTop = new Map([["A-B-USDC", { ...RULES, feeMode: "quote", feeBps: 100 }]]);
  assert.equal(heldBy(ORDERS, onTop).get("USDC"), "525.2");
});

test("a reason is said even where it has no words", () => {
  assert.match(whyNot(12), /whitelist/);
  assert.match(whyNot(99), /compliance/);
});
