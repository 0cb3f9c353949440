import assert from "node:assert/strict";
import { test } from "node:test";
import { depositSteps, withdrawalSteps, type Step } from "../src/domain/passage.ts";

const states = (steps: readonly Step[]): string => steps.map(({ state }) => state).join(" ");

test("money on its way in", () => {
  assert.equal(states(depositSteps("REQUESTED", null)), "done now next");
  assert.equal(states(depositSteps("SUBMITTED", null)), "done done now");
  assert.equal(states(depositSteps("CREDITED", null)), "done done done");
  assert.equal(states(depositSteps("EXPIRED", null)), "done failed");
});

test("money on its way out", () => {
  assert.equal(states(withdrawalSteps("PENDING_APPROVAL", null)), "done now next next");
  assert.equal(states(withdrawalSteps("APPROVED", null)), "done done now next");
  for (const status of ["PROCESSING", "SUBMITTED", "UNKNOWN"]) {
    assert.equal(states(withdrawalSteps(status, null)), "done done done now", status);
  }
  assert.equal(states(withdrawalSteps("COMPLETED", null)), "done done done done");
  assert.match(withdrawalSteps("REJECTED", "unknown payee").at(-1)?.note ?? "", /unknown payee.*available again/);
});
