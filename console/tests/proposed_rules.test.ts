import assert from "node:assert/strict";
import { test } from "node:test";
import { proposedOf, settable } from "../src/domain/proposed_rules.ts";

test("a proposal is read whole, and what it does not say is no limit", () => {
  const told = proposedOf({ proposedRules: { minKycLevel: 1, blockedJurisdictions: ["US", "KP"], maxHolders: 149 } });
  assert.ok(told);
  assert.deepEqual(settable(told), {
    minKycLevel: 1,
    accreditationRequired: false,
    allowedJurisdictions: [],
    blockedJurisdictions: ["KP", "US"],
    maxHolders: 149,
    maxOwnership: null,
    lockUpDays: 0,
  });
});

test("a proposal is none where anything in it could not be set", () => {
  const odd = [null, {}, [], "none", { minKycLevel: "1" }, { maxHolders: -1 }, { allowedJurisdictions: ["Portugal"] }, { maxOwnership: 5 }, { other: 1 }];
  for (const proposedRules of odd) assert.equal(proposedOf({ proposedRules }), null);
  for (const info of [null, undefined, "x", {}]) assert.equal(proposedOf(info), null);
});
