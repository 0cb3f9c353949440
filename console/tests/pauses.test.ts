import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseAfter, problemOf } from "../src/api/problem.ts";

const USUAL_MS = 2_000;
const refusal = (headers: Record<string, string>) => problemOf(new Response(null, { status: 429, headers }));

test("who was refused for asking too often asks again when they were told to", async () => {
  const pause = pauseAfter(await refusal({ "Retry-After": "30" }), USUAL_MS);
  assert.ok(pause > USUAL_MS && pause <= 30_000, `${pause}`);
});

test("the usual pause stands where nothing longer was asked for", async () => {
  assert.equal(pauseAfter(null, USUAL_MS), USUAL_MS);
  assert.equal(pauseAfter(new Error("other"), USUAL_MS), USUAL_MS);
  assert.equal(pauseAfter(await refusal({ "Retry-After": "1" }), USUAL_MS), USUAL_MS);
  assert.equal(pauseAfter(await refusal({}), USUAL_MS), USUAL_MS);
});
