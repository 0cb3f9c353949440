import assert from "node:assert/strict";
import { test } from "node:test";
import { backFrom, wayBack } from "../src/domain/way_back.ts";

test("a page of ours is led back to, with what was asked there", () => {
  assert.equal(wayBack("/trade/A-B-USDC"), "/trade/A-B-USDC");
  assert.equal(wayBack("/audit?entityId=1&x=%2F%2Fevil.example"), "/audit?entityId=1&x=%2F%2Fevil.example");
});

test("nothing else is", () => {
  for (const asked of [
    undefined,
    null,
    7,
    "",
    "/",
    "trade",
    "//evil.example",
    "//evil.example/trade",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/trade/..//evil.example",
    " //evil.example",
    "/sign-in",
    "/sign-in?back=/trade",
  ]) {
    assert.equal(wayBack(asked), "/markets", String(asked));
  }
  assert.equal(wayBack("/trade@evil.example"), "/trade@evil.example");
});

test("the sign-in page hands on what it was given", () => {
  assert.equal(backFrom("/funds", "?show=1"), "/funds?show=1");
  assert.equal(backFrom("/sign-in", "?back=%2Ffunds"), "/funds");
  assert.equal(backFrom("/sign-in", "?back=%2F%2Fevil.example"), "/markets");
});
