import assert from "node:assert/strict";
import { test } from "node:test";
import { HEADER, readBulk } from "../src/domain/bulk.ts";

const USER = "01a21774-19da-709b-b7d1-3d448a1ef27e";
const KNOWN = new Set(["LUXAPT"]);
const read = (...lines: string[]) => readBulk([HEADER, ...lines].join("\n"), KNOWN);

test("a table is read line by line, and what may be left out is nothing", () => {
  const { lines, problems } = read(`${USER},LUXAPT,APPROVED,2,yes,PT,2027-01-31`, ` ${USER.replace("01a2", "01a3")} , LUXAPT, REJECTED, 0, no,,`);
  assert.deepEqual(problems, []);
  assert.deepEqual(lines[0], {
    number: 2,
    userId: USER,
    symbol: "LUXAPT",
    wanted: { kycStatus: "APPROVED", kycLevel: 2, whitelisted: true, jurisdiction: "PT", expiresAt: "2027-01-31T23:59:59.000000Z" },
  });
  assert.deepEqual(lines[1]?.wanted, { kycStatus: "REJECTED", kycLevel: 0, whitelisted: false, jurisdiction: null, expiresAt: null });
});

test("each line that cannot be read says why, by its number", () => {
  const wrong = ["me,LUXAPT,APPROVED,2,yes,,", `${USER},OTHER,APPROVED,2,yes,,`, `${USER},LUXAPT,approved,2,yes,,`, `${USER},LUXAPT,APPROVED,12,yes,,`];
  const more = [`${USER},LUXAPT,APPROVED,2,1,,`, `${USER},LUXAPT,APPROVED,2,yes,pt,`, `${USER},LUXAPT,APPROVED,2,yes,,2027-02-30`, `${USER},LUXAPT,APPROVED`];
  const { lines, problems } = read(...wrong, ...more, `${USER},LUXAPT,APPROVED,2,yes,,2027-99-99`);
  assert.equal(lines.length, 0);
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    [2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => `Line ${number}`),
  );
});

test("a user stands there once for a token, under the right header, and not for ever on", () => {
  const line = `${USER},LUXAPT,APPROVED,2,yes,,`;
  assert.match(read(line, line).problems[0] ?? "", /earlier line/);
  assert.match(readBulk(`user,token\n${line}`, KNOWN).problems[0] ?? "", /first line/);
  assert.match(read(...Array.from({ length: 201 }, () => line)).problems[0] ?? "", /At most 200/);
});
