import assert from "node:assert/strict";
import { test } from "node:test";
import { depositSteps, withdrawalSteps, type Step } from "../src/domain/passage.ts";

const states = (steps: readonly Step[]): string => steps.map(({ state }) => state).join(" ");
const now = (steps: readonly Step[]): string => steps.find(({ state }) => state === "now")?.note ?? "";
const depth = { confirmations: 3, needed: 12 };

test("money on its way in", () => {
  const coming = { status: "REQUESTED", error: null, relayed: true, onChain: null };
  assert.equal(states(depositSteps(coming)), "done now next");
  assert.match(now(depositSteps(coming)), /platform/);
  assert.match(now(depositSteps({ ...coming, relayed: false })), /your wallet/);
  assert.equal(states(depositSteps({ ...coming, onChain: depth })), "done done now");
  assert.match(now(depositSteps({ ...coming, onChain: depth })), /3 of 12 confirmations/);
  assert.equal(states(depositSteps({ ...coming, status: "SUBMITTED" })), "done done now");
  assert.equal(states(depositSteps({ ...coming, status: "CREDITED" })), "done done done");
  assert.equal(states(depositSteps({ ...coming, status: "EXPIRED" })), "done failed");
  assert.match(depositSteps({ ...coming, status: "FAILED", error: "no allowance" }).at(-1)?.note ?? "", /no allowance.*left your wallet/);
});

test("money on its way out", () => {
  const going = { status: "PENDING_APPROVAL", reason: null };
  assert.equal(states(withdrawalSteps(going)), "done now next next");
  assert.equal(states(withdrawalSteps({ ...going, status: "APPROVED" })), "done done now next");
  for (const status of ["PROCESSING", "SUBMITTED", "UNKNOWN"]) {
    assert.equal(states(withdrawalSteps({ ...going, status })), "done done done now", status);
    assert.match(now(withdrawalSteps({ ...going, status, onChain: depth })), /3 of 12/, status);
  }
  assert.equal(states(withdrawalSteps({ ...going, status: "COMPLETED" })), "done done done done");
  assert.match(withdrawalSteps({ status: "REJECTED", reason: "unknown payee" }).at(-1)?.note ?? "", /unknown payee.*available again/);
});
