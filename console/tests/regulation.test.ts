import assert from "node:assert/strict";
import { test } from "node:test";
import { regulation } from "../src/domain/regulation.ts";

test("what is said of regulation reads as it was asked, without the limits that nobody proposes", () => {
  const told = { exemption: "eu_150", jurisdiction: "PT", proposedRules: { minKycLevel: 1, accreditationRequired: false, blockedJurisdictions: ["US", "KP"], maxHolders: 149, lockUpDays: 40 } };
  assert.deepEqual(regulation(told), [
    ["Offered under", "European Union: fewer than 150 persons a member state"],
    ["Jurisdiction", "PT"],
    ["Proposed: identity verified to", "Level 1"],
    ["Proposed: not residents of", "US, KP"],
    ["Proposed: holders at most", "149"],
    ["Proposed: locked up for", "40 days"],
  ]);
});

test("what has no known name stands as it was written", () => {
  assert.deepEqual(regulation({ exemption: "toString", proposedRules: { other: 1 } }), [
    ["Offered under", "toString"],
    ["Proposed rules · Other", "1"],
  ]);
  assert.deepEqual(regulation(null), []);
  assert.deepEqual(regulation({}), []);
});
