import assert from "node:assert/strict";
import { test } from "node:test";
import { sparkPoints, sparkPrices } from "../src/domain/sparkline.ts";
import { judgeFor, marketConditions, verdictWords, type Known } from "../src/domain/tradability.ts";
import { yieldOf } from "../src/domain/valuation.ts";

test("the last day is drawn from where it began to where it is, and what is older is left out", () => {
  const candle = (openedAt: string, open: string, close: string) => ({ openedAt, open, close });
  const newestFirst = [
    candle("2026-11-26T09:00:00Z", "1010", "1000"),
    candle("2026-11-26T04:00:00Z", "1000", "1010"),
    candle("2026-11-24T04:00:00Z", "1", "2"),
  ];
  const prices = sparkPrices(newestFirst, new Date("2026-11-25T10:00:00Z"));
  assert.deepEqual(prices, ["1000", "1010", "1000"]);
  assert.equal(sparkPoints(prices), "0,1000 500,0 1000,1000");
  assert.equal(sparkPoints(["5", "5"]), "0,500 1000,500");
  assert.equal(sparkPoints([]), "");
  assert.equal(sparkPoints(["99999999999999999999.000000000000000001", "99999999999999999999.000000000000000002"]), "0,1000 1000,0");
});

test("the yield is the issuer's word, and a percentage where it is a number", () => {
  assert.equal(yieldOf({ sqft: 4, yield: "5.2" }), "5.2%");
  assert.equal(yieldOf({ Yield: 5 }), "5%");
  assert.equal(yieldOf({ yield: "5.20 %" }), "5.2%");
  assert.equal(yieldOf({ yield: "EURIBOR + 2" }), "EURIBOR + 2");
  assert.equal(yieldOf({ yield: { a: 1 } }), null);
  assert.equal(yieldOf({}), null);
});

const YES = { allowed: true, reason: 0, checks: [{ check: "pause", reason: 0 }, { check: "sender.kyc", reason: 10 }, { check: "receiver.kyc", reason: 0 }] };
const NO = { allowed: false, reason: 10, checks: [{ check: "receiver.kyc", reason: 10 }, { check: "receiver.whitelist", reason: 12 }] };
const KNOWN: Known = {
  marketStatus: "active",
  pairStatus: "active",
  buy: YES,
  sell: YES,
  money: { symbol: "USDC", available: "10", least: "1" },
  holding: "3",
};

test("who may trade is told so, and who may not is told each thing that stands in the way", () => {
  const free = judgeFor(KNOWN);
  assert.deepEqual([free.mayBuy, free.maySell, free.conditions.every(({ met }) => met)], [true, true, true]);
  assert.equal(verdictWords(free, "LUXAPT"), "You may buy and sell LUXAPT");
  const stranger = judgeFor({ ...KNOWN, buy: NO, holding: "0", money: { symbol: "USDC", available: "0.5", least: "1" } });
  assert.equal(verdictWords(stranger, "LUXAPT"), "You cannot trade LUXAPT now");
  assert.deepEqual(
    stranger.conditions.filter(({ met }) => !met).map(({ what, remedy }) => [what, remedy]),
    [
      ["Identity verified and valid", "verify"],
      ["On the list of those who may hold it", undefined],
      ["USDC to buy with", "deposit"],
    ],
  );
  const poor = judgeFor({ ...KNOWN, money: { symbol: "USDC", available: "0", least: "0" } });
  assert.match(poor.conditions.find(({ remedy }) => remedy === "deposit")?.why ?? "", /^You have none in the vault/);
  const seller = judgeFor({ ...KNOWN, buy: NO });
  assert.equal(verdictWords(seller, "LUXAPT"), "You may sell LUXAPT, and not buy it now");
  const locked = judgeFor({ ...KNOWN, sell: { allowed: false, reason: 60, checks: [] } });
  assert.equal(locked.conditions.at(-1)?.why, "What you received lately is still locked up.");
  assert.equal(verdictWords(judgeFor({ ...KNOWN, holding: "0" }), "LUXAPT"), "You may buy LUXAPT");
});

test("a market that is not live says why, before anybody asks who one is", () => {
  for (const [status, words] of [
    ["pending_approval", /not decided/],
    ["activating", /on its way/],
    ["paused", /paused/],
    ["rejected", /rejected/],
    ["archived", /ended/],
  ] as const) {
    const [market, pair] = marketConditions({ marketStatus: status, pairStatus: null });
    assert.match(market?.why ?? "", words);
    assert.match(pair?.why ?? "", /no pair yet/);
    assert.equal(judgeFor({ ...KNOWN, marketStatus: status }).mayBuy, false);
  }
});
