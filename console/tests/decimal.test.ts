import assert from "node:assert/strict";
import { test } from "node:test";
import {
  add,
  compare,
  divide,
  fromUnits,
  isAmount,
  isWholeSteps,
  multiply,
  partsPerTenThousand,
  readAmount,
  subtract,
  thousandths,
  toPlaces,
  toStep,
  toUnits,
} from "../src/domain/decimal.ts";
import { compact, fixed, grouped, percentOfBps, short } from "../src/domain/show.ts";

const HUGE = "99999999999999999999.999999999999999999";

test("sums and products are exact beyond what a number can hold", () => {
  assert.equal(add("0.1", "0.2"), "0.3");
  assert.equal(add(HUGE, "0.000000000000000001"), "100000000000000000000");
  assert.equal(subtract("1", "1.000000000000000001"), "-0.000000000000000001");
  assert.equal(multiply("100000000000000000000", "0.000000000000000001"), "100");
  assert.equal(multiply("-2.5", "4"), "-10");
});

test("what was added can be taken away again, for many amounts", () => {
  let seed = 7n;
  const next = (): string => {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return fromUnits(seed, 18);
  };
  for (let round = 0; round < 500; round += 1) {
    const [a, b] = [next(), next()];
    assert.equal(subtract(add(a, b), b), a);
    assert.equal(compare(add(a, b), a), 1);
    assert.equal(divide(multiply(a, b), b, 18, "down"), a);
  }
});

test("division rounds the way that it is told, on both sides of zero", () => {
  assert.equal(divide("1", "3", 6, "down"), "0.333333");
  assert.equal(divide("1", "3", 6, "up"), "0.333334");
  assert.equal(divide("-1", "3", 2, "down"), "-0.34");
  assert.equal(divide("-1", "3", 2, "up"), "-0.33");
  assert.throws(() => divide("1", "0", 2, "up"), RangeError);
});

test("fees are rounded up, like the platform's", () => {
  assert.equal(partsPerTenThousand("5", 25, 18), "0.0125");
  assert.equal(partsPerTenThousand("0.000001", 25, 6), "0.000001");
  assert.equal(partsPerTenThousand("5000", 25, 6), "12.5");
});

test("steps", () => {
  assert.equal(toStep("1.23456", "0.01", "down"), "1.23");
  assert.equal(toStep("1.23456", "0.01", "up"), "1.24");
  assert.equal(isWholeSteps("1.25", "0.05"), true);
  assert.equal(isWholeSteps("1.26", "0.05"), false);
  assert.equal(toPlaces("1.999", 2), "1.99");
});

test("base units, there and back", () => {
  assert.equal(toUnits("1.5", 6), 1500000n);
  assert.equal(toUnits("0.0000001", 6), null);
  assert.equal(toUnits("1.5000000", 1), 15n);
  assert.equal(fromUnits(10n ** 38n, 18), "100000000000000000000");
});

test("amounts are read as people type them, and by the API's grammar alone", () => {
  assert.equal(readAmount(" 1,000.50 "), "1000.50");
  assert.equal(readAmount(".5"), "0.5");
  assert.equal(readAmount("007"), "7");
  for (const wrong of ["", ".", "1e5", "-1", "1..2", "0x10", "١", "1.0000000000000000001"]) {
    assert.equal(readAmount(wrong), null, wrong);
  }
  assert.equal(isAmount("1\n"), false);
  assert.equal(isAmount("00"), false);
});

test("a comma that is no sign between thousands is never passed over: elsewhere it is the decimal sign", () => {
  for (const elsewhere of ["0,5", "1,5", "12,50", "0,500", "1.000,50", "1,000,50", "1.5,000", "1,000 000", "10 5"]) {
    assert.equal(readAmount(elsewhere), null, elsewhere);
  }
  assert.equal(readAmount("12,345,678.5"), "12345678.5");
  assert.equal(readAmount("1 000"), "1000");
  assert.equal(readAmount("1'000"), "1000");
  assert.equal(readAmount("1_000_000"), "1000000");
});

test("shown numbers never round up and never hide that something is there", () => {
  assert.equal(grouped("1234567.891"), "1,234,567.891");
  assert.equal(fixed("0.999999", 2), "0.99");
  assert.equal(fixed("-0.001", 2), "0.00");
  assert.equal(fixed("1234.5", 2), "1,234.50");
  assert.equal(short("0.000000000000000001", 4), "<0.0001");
  assert.equal(short("100000000000000000000.000000000000000001", 4), "100,000,000,000,000,000,000");
  assert.equal(percentOfBps(-250), "-2.50%");
  assert.equal(percentOfBps(5), "+0.05%");
  assert.equal(percentOfBps(0), "0.00%");
  assert.equal(compact("1234567"), "1.23M");
  assert.equal(compact("25000"), "25K");
  assert.equal(compact("9999.5"), "9,999.5");
});

test("shares for bars stay within their bounds", () => {
  assert.equal(thousandths("1", "3"), 333);
  assert.equal(thousandths("5", "3"), 1000);
  assert.equal(thousandths("5", "0"), 0);
});
