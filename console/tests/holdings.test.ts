import assert from "node:assert/strict";
import { test } from "node:test";
import { add, compare, subtract } from "../src/domain/decimal.ts";
import { averageCost, basisOf, settling, splitPair, turnovers, unrealized, type Fill } from "../src/domain/holdings.ts";

const BUY: Fill = { base: "LUX", quote: "USDC", side: "BUY", quantity: "5", value: "5000", fee: "0.0125", feeInBase: true, settlementStatus: "SETTLED" };
const SELL: Fill = { ...BUY, side: "SELL", quantity: "2", value: "3000", fee: "7.5", feeInBase: false };

test("pairs come apart at their last hyphen", () => {
  assert.deepEqual(splitPair("LUX-2-USDC"), ["LUX-2", "USDC"]);
  assert.deepEqual(splitPair("LUX"), ["LUX", ""]);
});

test("what is bought costs what was paid for what arrived", () => {
  const basis = basisOf([BUY]).get("LUX");
  assert.deepEqual(basis, { quantity: "4.9875", cost: "5000", realized: "0", quote: "USDC" });
  assert.equal(averageCost(basis!), "1002.50626567");
  assert.equal(unrealized(basis!, "1100"), "486.25");
  assert.equal(basisOf([{ ...BUY, fee: "12.5", feeInBase: false }]).get("LUX")?.cost, "5012.5");
});

test("what is sold leaves at average cost, and the gain is what came in less that", () => {
  const basis = basisOf([{ ...BUY, fee: "0" }, SELL]).get("LUX")!;
  assert.deepEqual(basis, { quantity: "3", cost: "3000", realized: "992.5", quote: "USDC" });
});

test("nothing is gained with what was never bought here, and failed trades count for nothing", () => {
  assert.deepEqual(basisOf([SELL]).get("LUX"), { quantity: "0", cost: "0", realized: "0", quote: "USDC" });
  assert.equal(basisOf([{ ...BUY, settlementStatus: "FAILED" }]).size, 0);
  const all = basisOf([{ ...BUY, fee: "0" }, { ...SELL, quantity: "10", value: "12000", fee: "0" }]).get("LUX")!;
  assert.deepEqual(all, { quantity: "0", cost: "0", realized: "1000", quote: "USDC" });
  assert.equal(averageCost(all), null);
});

test("what is on its way is what arrives, by token, until it is settled", () => {
  const open = [{ ...BUY, settlementStatus: "PENDING" }, { ...SELL, settlementStatus: "SUBMITTED" }, BUY];
  assert.deepEqual([...settling(open)], [["LUX", "4.9875"], ["USDC", "2992.5"]]);
});

test("opening, in, out and closing agree for any run of lines", () => {
  let balance = "0";
  const lines = Array.from({ length: 200 }, (_, place) => {
    const amount = place % 3 === 2 ? `-${place}.000000000000000001` : `${place}.5`;
    balance = add(balance, amount);
    return { symbol: "LUX", amount, balance };
  }).reverse();
  const [told] = turnovers(lines.slice(0, 150));
  assert.equal(told?.closing, balance);
  assert.equal(compare(subtract(add(told!.opening, told!.incoming), told!.outgoing), told!.closing), 0);
});
