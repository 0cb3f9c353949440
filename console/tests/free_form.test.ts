import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, fieldName, lines } from "../src/domain/free_form.ts";

test("free facts become names and texts, and what says nothing is left out", () => {
  const told = { owner: { country: "PT", name: "" }, units: 24, zones: ["a", "b"], none: null, empty: [] };
  assert.deepEqual(lines(told), [
    ["Owner · Country", "PT"],
    ["Units", "24"],
    ["Zones", "a, b"],
  ]);
  assert.deepEqual(lines("1 Harbour Street"), [["Value", "1 Harbour Street"]]);
});

test("what is nested too deeply stays text, and nothing is lost", () => {
  assert.deepEqual(lines({ a: { b: { c: { d: { e: 1 } } } } }), [["A · B · C · D", '{"e":1}']]);
});

test("names are read from both ways of writing them", () => {
  assert.equal(fieldName("totalSupply"), "Total supply");
  assert.equal(fieldName("kyc_status"), "Kyc status");
});

test("differences name what was added, what is gone and what is another", () => {
  assert.deepEqual(differences({ status: "active", fee: 1, old: "x" }, { status: "paused", fee: 1, by: "y" }), [
    { name: "Status", before: "active", after: "paused" },
    { name: "Old", before: "x", after: null },
    { name: "By", before: null, after: "y" },
  ]);
  assert.deepEqual(differences(null, null), []);
});
