import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, fromUnits, isWholeSteps } from "../src/domain/decimal.ts";
import { asShown, EMPTY_DRAFT, missing, mostOf, partOf, protectedPrice, receiptOf, wrongWith, type Draft } from "../src/domain/ticket.ts";
import { RULES } from "./pair_rules.ts";

const DRAFT: Draft = { ...EMPTY_DRAFT, price: "1000", quantity: "5" };
const NOW = new Date("2026-11-26T10:00:00Z");

test("five at a thousand, as the platform counts it", () => {
  assert.deepEqual(receiptOf("BUY", "5", "1000", RULES), {
    worstPrice: "1000",
    pay: "5000",
    get: "4.9875",
    fee: "0.0125",
    feeInQuote: false,
    locked: "5000",
  });
  const sold = receiptOf("SELL", "5", "1000", RULES);
  assert.deepEqual([sold.pay, sold.get, sold.fee, sold.locked], ["5", "4987.5", "12.5", "5"]);
  const onTop = receiptOf("BUY", "5", "1000", { ...RULES, feeMode: "quote" });
  assert.deepEqual([onTop.pay, onTop.get, onTop.fee, onTop.feeInQuote], ["5012.5", "5", "12.5", true]);
});

test("the most never takes more than there is, fee included, and one lot more would", () => {
  let seed = 11n;
  const next = (bound: bigint): bigint => {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return (seed >> 11n) % bound;
  };
  for (let round = 0; round < 2000; round += 1) {
    const rules = { ...RULES, feeMode: round % 2 ? "quote" : "received", feeBps: round % 101 };
    const available = fromUnits(next(10n ** 14n), 6);
    const price = fromUnits(next(10n ** 8n) + 1n, 2);
    const most = mostOf("BUY", available, price, rules);
    assert.ok(compare(receiptOf("BUY", most, price, rules).locked, available) <= 0);
    const more = addLot(most);
    assert.ok(compare(receiptOf("BUY", more, price, rules).locked, available) > 0, `${available} at ${price}`);
    assert.ok(isWholeSteps(most, rules.lotSize));
  }
});

function addLot(quantity: string): string {
  const [whole = "0", fraction = ""] = quantity.split(".");
  return fromUnits(BigInt(whole + fraction.padEnd(4, "0")) + 1n, 4);
}

test("a slider's part is whole lots and never more than the whole", () => {
  assert.equal(partOf("4.9999", 100, "0.0001"), "4.9999");
  assert.equal(partOf("4.9999", 50, "0.0001"), "2.4999");
  assert.equal(partOf("0.0001", 99, "0.0001"), "0");
});

test("amounts of 10^20 and of 10^-18 are shown and added exactly", () => {
  const huge = { ...RULES, lotSize: "0.000000000000000001", maxQuantity: "99999999999999999999" };
  assert.equal(receiptOf("SELL", "99999999999999999999", "0.01", huge).pay, "99999999999999999999");
  assert.equal(mostOf("SELL", "1.000000000000000001", "1", huge), "1.000000000000000001");
});

test("the price that protects lies within the band", () => {
  assert.equal(protectedPrice("BUY", "1000", RULES), "1050");
  assert.equal(protectedPrice("BUY", "0.03", RULES), "0.03");
  assert.equal(protectedPrice("SELL", "0.03", RULES), "0.03");
  assert.equal(protectedPrice("SELL", "1000", RULES), "950");
});

test("what was typed is judged by the pair's rules, and what was not is asked for", () => {
  assert.deepEqual(wrongWith(DRAFT, RULES, NOW), {});
  assert.equal(wrongWith({ ...DRAFT, price: "1000.001" }, RULES, NOW).price, "In steps of 0.01");
  assert.equal(wrongWith({ ...DRAFT, quantity: "0.00001" }, RULES, NOW).quantity, "In steps of 0.0001");
  assert.equal(wrongWith({ ...DRAFT, quantity: "0.0005" }, RULES, NOW).quantity, "Worth at least 1");
  assert.equal(wrongWith({ ...DRAFT, quantity: "abc" }, RULES, NOW).quantity, "A positive amount, such as 2.5");
  assert.equal(missing({ ...DRAFT, price: "" }), "Enter a price");
  assert.equal(missing({ ...DRAFT, orderType: "MARKET", price: "" }), null);
  assert.equal(missing({ ...DRAFT, orderType: "STOP_MARKET" }), "Enter the trigger price");
});

test("a market order is signed with the worst price that its receipt shows, for the book may move before it arrives", () => {
  const market: Draft = { ...EMPTY_DRAFT, orderType: "MARKET", quantity: "5" };
  assert.equal(asShown(market, "1050").worstPrice, "1050");
  assert.equal(asShown(market, null).worstPrice, "");
  assert.equal(asShown({ ...market, orderType: "STOP_MARKET" }, "1050").worstPrice, "");
  assert.deepEqual(asShown(DRAFT, "1000"), DRAFT);
});
