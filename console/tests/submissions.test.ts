import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "../src/domain/free_form.ts";
import { earlierOf, submitted } from "../src/domain/submissions.ts";

const row = (id: string, createdAt: string, more: object = {}) => ({
  id,
  issuerId: "i",
  name: "Harbour Wharf",
  tokenSymbol: "WHARF",
  status: "rejected",
  createdAt,
  ...more,
});
const now = row("now", "2026-05-01", { status: "pending_approval" });

test("the earlier submission is the last rejected one of the same issuer, by symbol or by name", () => {
  const all = [
    now,
    row("first", "2026-01-01"),
    row("renamed", "2026-03-01", { name: "Wharf", tokenSymbol: "wharf" }),
    row("moved", "2026-02-01", { tokenSymbol: "QUAY" }),
    row("active", "2026-04-01", { status: "active" }),
    row("later", "2026-06-01"),
    row("another's", "2026-04-02", { issuerId: "j" }),
    row("another", "2026-04-03", { name: "Silo", tokenSymbol: "SILO" }),
  ];
  assert.equal(earlierOf(now, all)?.id, "renamed");
  assert.equal(earlierOf(now, [row("moved", "2026-02-01", { tokenSymbol: "QUAY" })])?.id, "moved");
  assert.equal(earlierOf(now, [now]), null);
});

test("two submissions differ in what the issuer wrote, and in documents by their hash", () => {
  const market = {
    name: "Harbour Wharf",
    description: "",
    assetType: "real_estate",
    tokenSymbol: "WHARF",
    tokenName: "",
    decimals: 18,
    totalSupply: "1",
    supplyCap: null,
  };
  const deed = (sha256: string) => ({ title: "Deed", kind: "title_deed", sha256 });
  const asset = { valuation: "5", currency: "EUR", location: null, attributes: {}, regulatoryInfo: {}, documents: [deed("aa")] };
  const before = submitted({ market, asset });
  const after = submitted({ market, asset: { ...asset, valuation: "4", documents: [deed("bb"), deed("cc")] } });
  assert.deepEqual(differences(before, after), [
    { name: "Valuation", before: "5", after: "4" },
    { name: "Documents · Deed (title deed)", before: "aa", after: "bb, cc" },
  ]);
});
