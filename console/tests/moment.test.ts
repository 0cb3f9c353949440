import assert from "node:assert/strict";
import { test } from "node:test";
import { utcDay, utcHour } from "../src/domain/moment.ts";

test("a last day is the one that was entered, in every zone", () => {
  const here = process.env["TZ"];
  for (const zone of ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]) {
    process.env["TZ"] = zone;
    assert.match(utcDay("2027-07-31T23:59:59.000000Z"), /31/, zone);
    assert.match(utcDay("2027-07-31T00:00:00Z"), /31/, zone);
  }
  if (here === undefined) delete process.env["TZ"];
  else process.env["TZ"] = here;
});

test("an end within a day is said with its hour", () => {
  assert.equal(utcHour("2027-07-31T23:59:59.000000Z"), "end of day UTC");
  assert.equal(utcHour("2027-07-31T10:05:00Z"), "10:05 UTC");
  assert.equal(utcHour("2027-07-31T00:30:00+02:00"), "22:30 UTC");
});
