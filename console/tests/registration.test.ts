import assert from "node:assert/strict";
import { test } from "node:test";
import { EXEMPTIONS, RULES } from "../src/domain/exemptions.ts";
import { countriesOf, EMPTY_DRAFT, exampleDraft, fieldOf, problemsOf, registrationOf } from "../src/domain/registration.ts";

const GOOD = exampleDraft("a1");

test("the example has no problem, whatever rule it follows", () => {
  assert.deepEqual(problemsOf(GOOD), {});
  for (const exemption of EXEMPTIONS) {
    assert.deepEqual(problemsOf({ ...GOOD, exemption, ...RULES[exemption].usual }), {}, exemption);
  }
});

test("an empty draft says what is missing, and nothing about what may be left out", () => {
  assert.deepEqual(Object.keys(problemsOf(EMPTY_DRAFT)).sort(), ["assetType", "name", "tokenSymbol", "totalSupply"]);
});

test("each field is refused for its own reason", () => {
  const wrong = {
    tokenSymbol: "wharf",
    totalSupply: "0",
    supplyCap: "99999.9999999999999999999",
    valuation: "1e6",
    currency: "euro",
    jurisdiction: "Portugal",
    countries: "US, Spain",
    maxHolders: "0",
    maxOwnership: "150001",
    lockUpDays: "3661",
    attributes: "no colon here",
    description: "\u202ereversed",
  };
  for (const [field, text] of Object.entries(wrong)) {
    assert.deepEqual(Object.keys(problemsOf({ ...GOOD, [field]: text })), [field], field);
  }
});

test("supply and cap are compared exactly, and to the token's last decimal", () => {
  const huge = "99999999999999999999.999999999999999999";
  assert.deepEqual(problemsOf({ ...GOOD, totalSupply: huge, supplyCap: huge }), {});
  assert.ok(problemsOf({ ...GOOD, totalSupply: huge, supplyCap: "99999999999999999999.999999999999999998" }).supplyCap);
  assert.ok(problemsOf({ ...GOOD, decimals: 2, totalSupply: "1.001" }).totalSupply);
  assert.deepEqual(problemsOf({ ...GOOD, decimals: 2, totalSupply: "1.00", supplyCap: "1.500", maxOwnership: "" }), {});
});

test("the body is what the API takes: amounts as text, what was left empty is left out", () => {
  const body = registrationOf({ ...GOOD, totalSupply: " 100,000.50 ", supplyCap: "", documents: [{ id: "d1", title: "Deed", kind: "deed", sha256: "00" }] });
  assert.equal(body.totalSupply, "100000.5");
  assert.equal("supplyCap" in body, false);
  assert.deepEqual(body.assetDetails.complianceDocuments, ["d1"]);
  assert.deepEqual(body.assetDetails.attributes, { area: "4200 m²", yield: "5.2", built: "1931" });
  assert.deepEqual(body.assetDetails.regulatoryInfo.proposedRules, {
    minKycLevel: 1,
    accreditationRequired: false,
    blockedJurisdictions: ["US"],
    maxHolders: 1999,
    maxOwnership: "25000",
    lockUpDays: 40,
  });
});

test("refusals find their field", () => {
  assert.equal(fieldOf("/tokenSymbol"), "tokenSymbol");
  assert.equal(fieldOf("/assetDetails/valuation"), "valuation");
  assert.equal(fieldOf("/assetDetails/complianceDocuments/0"), "documents");
  assert.equal(fieldOf("/assetDetails"), null);
  assert.equal(fieldOf("/nothing"), null);
  assert.deepEqual(countriesOf(" pt,ES  pt;"), ["PT", "ES"]);
});
