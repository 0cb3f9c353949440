import assert from "node:assert/strict";
import { test } from "node:test";
import { expiryOf, inForce, onlyRests, readTrail, stopText, trailedPrice, trailText, untilSeconds, untilStep, untilText } from "../src/domain/order_terms.ts";
import { termsInWords, triggerWords } from "../src/domain/order_words.ts";
import { changeOf, draftOfOrder, type OpenOrder } from "../src/domain/replacement.ts";
import { EMPTY_DRAFT, missing, wrongWith, type Draft } from "../src/domain/ticket.ts";
import { RULES } from "./pair_rules.ts";

const TICK = RULES.tickSize;
const NOW_S = 1_795_687_200;
const NOW = new Date(NOW_S * 1000);
const DAY_S = 86_400;
const STOP: Draft = { ...EMPTY_DRAFT, orderType: "STOP_MARKET", side: "SELL", quantity: "5" };

test("a distance is signed in ticks or basis points, and read back as it was typed", () => {
  for (const [trigger, distance, wire] of [
    ["amount", "2.5", "trail:250"],
    ["amount", "0.01", "trail:1"],
    ["percent", "0.5", "trail:50bps"],
    ["percent", "99.99", "trail:9999bps"],
  ] as const) {
    assert.equal(trailText({ trigger, distance }, TICK), wire);
    assert.deepEqual(readTrail(wire, TICK), { trigger, distance });
  }
  for (const [trigger, distance] of [
    ["amount", "0.001"],
    ["amount", "0"],
    ["amount", "12345678901"],
    ["percent", "100"],
    ["percent", "0.005"],
    ["percent", "abc"],
  ] as const) {
    assert.equal(trailText({ trigger, distance }, TICK), null, distance);
    assert.ok(wrongWith({ ...STOP, trigger, distance }, RULES, NOW).distance);
  }
  assert.equal(readTrail("950.5", TICK), null);
  assert.equal(stopText({ ...STOP, stopPrice: "950.50" }, TICK), "950.50");
  assert.equal(stopText({ ...STOP, orderType: "LIMIT", stopPrice: "950" }, TICK), "");
});

test("a stop that follows stands where the platform has it: percent rounded away from the market, never below a tick", () => {
  const half = { trigger: "percent", distance: "0.5" } as const;
  assert.equal(trailedPrice("SELL", "999.99", half, TICK), "994.99");
  assert.equal(trailedPrice("BUY", "999.99", half, TICK), "1004.99");
  assert.equal(trailedPrice("SELL", "1", { trigger: "amount", distance: "2.5" }, TICK), TICK);
});

test("what goes to market does not rest, and what waits for a trigger is good for long", () => {
  assert.equal(inForce({ orderType: "MARKET", timeInForce: "GTC" }), "IOC");
  assert.equal(inForce({ orderType: "STOP_MARKET", timeInForce: "IOC" }), "GTC");
  assert.equal(inForce({ orderType: "LIMIT", timeInForce: "FOK" }), "FOK");
  assert.equal(onlyRests({ ...EMPTY_DRAFT, postOnly: true }), true);
  assert.equal(onlyRests({ ...EMPTY_DRAFT, postOnly: true, timeInForce: "IOC" }), false);
  const ends = (draft: Partial<Draft>): number => expiryOf({ ...EMPTY_DRAFT, ...draft }, NOW_S) - NOW_S;
  assert.equal(ends({}), 30 * DAY_S);
  assert.equal(ends({ timeInForce: "IOC" }), 600);
  assert.equal(ends({ orderType: "MARKET" }), 600);
  assert.equal(ends({ orderType: "STOP_LIMIT", timeInForce: "IOC" }), 30 * DAY_S);
  assert.equal(ends({ timeInForce: "GTD", until: untilText(NOW_S + DAY_S) }), DAY_S);
});

test("a moment of one's own is asked for, and lies within what the platform takes", () => {
  const until = (seconds: number): Draft => ({ ...EMPTY_DRAFT, price: "1000", quantity: "5", timeInForce: "GTD", until: untilText(seconds) });
  assert.equal(missing({ ...until(NOW_S), until: "" }), "Enter until when it is good");
  assert.equal(wrongWith(until(NOW_S - 60), RULES, NOW).until, "This moment has passed");
  assert.equal(wrongWith(until(NOW_S + 91 * DAY_S), RULES, NOW).until, "At most 90 days ahead");
  assert.equal(wrongWith(until(NOW_S + DAY_S), RULES, NOW).until, undefined);
  assert.equal(untilSeconds("soon"), null);
  const [whole, exact] = [60 * 29_000_000, 60 * 29_000_000 + 37];
  assert.deepEqual([untilSeconds(untilText(whole)), untilSeconds(untilText(exact))], [whole, exact]);
  assert.deepEqual([untilStep(untilText(whole)), untilStep(untilText(exact)), untilStep("")], [60, 1, 60]);
  assert.equal(wrongWith({ ...EMPTY_DRAFT, reference: "mine!" }, RULES, NOW).reference, "At most 64 letters, digits, _ and -");
  assert.equal(missing({ ...STOP, trigger: "percent" }), "Enter the distance from the market");
});

test("terms are said in words", () => {
  assert.equal(triggerWords("trail:250", TICK), "trigger follows at 2.5");
  assert.equal(triggerWords("trail:50bps", TICK), "trigger follows at 0.5%");
  assert.equal(triggerWords("1950", TICK), "triggered at 1,950");
  const terms = { orderType: "LIMIT", timeInForce: "IOC", postOnly: false, selfTrade: "DECREMENT", stopPrice: null, expiry: NOW_S };
  assert.equal(termsInWords(terms, TICK), "at once, what is there · if it meets your own: both lose what is common to them");
  assert.match(termsInWords({ ...terms, timeInForce: "GTC", selfTrade: "EXPIRE_TAKER", postOnly: true }, TICK), /^only rests · until .*2026/);
});

const RESTING: OpenOrder = {
  side: "BUY",
  orderType: "LIMIT",
  price: "990",
  stopPrice: null,
  remainingQuantity: "0.5",
  timeInForce: "GTC",
  postOnly: true,
  selfTrade: "EXPIRE_MAKER",
  expiry: NOW_S,
  triggered: true,
};

test("less of an order needs no signature, and anything else does", () => {
  const before = draftOfOrder(RESTING, TICK);
  assert.equal(changeOf(before, before, TICK), "same");
  assert.equal(changeOf(before, { ...before, price: "990.00" }, TICK), "same");
  assert.equal(changeOf(before, { ...before, price: "990.01" }, TICK), "other");
  assert.equal(changeOf(before, { ...before, quantity: "0.50" }, TICK), "same");
  assert.equal(changeOf(before, { ...before, quantity: "0.4" }, TICK), "less");
  assert.equal(changeOf(before, { ...before, quantity: "0.6" }, TICK), "other");
  assert.equal(changeOf(before, { ...before, quantity: "0.4", price: "991" }, TICK), "other");
  assert.equal(changeOf(before, { ...before, postOnly: false }, TICK), "other");
  assert.equal(before.selfTrade, "EXPIRE_MAKER");
  const exact = { ...RESTING, timeInForce: "GTD", expiry: 60 * 29_000_000 + 37 };
  assert.equal(expiryOf({ ...draftOfOrder(exact, TICK), price: "991" }, NOW_S), exact.expiry);
});

test("a stop is changed as a stop, and once it was triggered as what it has become", () => {
  const stop = { ...RESTING, orderType: "STOP_LIMIT", stopPrice: "trail:50bps", triggered: false };
  assert.deepEqual([draftOfOrder(stop, TICK).trigger, draftOfOrder(stop, TICK).distance], ["percent", "0.5"]);
  const now = draftOfOrder({ ...stop, triggered: true }, TICK);
  assert.deepEqual([now.orderType, now.distance, now.stopPrice], ["LIMIT", "", ""]);
});
