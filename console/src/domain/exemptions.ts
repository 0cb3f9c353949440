/** The rules under which an asset is offered, each with its citation and what it usually asks of those who hold it. The
 * platform enforces what the officer sets; this only proposes. */

import type { Draft } from "./registration.ts";

export type Exemption = "reg_s" | "reg_d_506b" | "reg_d_506c" | "eu_150" | "eu_qualified" | "registered";

export interface Rule {
  readonly title: string;
  readonly cited: string;
  readonly about: string;
  readonly usual: Partial<Draft>;
}

export const RULES: Readonly<Record<Exemption, Rule>> = {
  reg_s: {
    title: "Regulation S: offered outside the United States",
    cited: "17 CFR §§ 230.901–905",
    about: "No offer to persons in the United States. Debt and the shares of foreign issuers may not flow back for 40 days (Rule 903(b)(2)).",
    usual: { countryRule: "except", countries: "US", accreditationRequired: false, lockUpDays: "40" },
  },
  reg_d_506b: {
    title: "Regulation D, Rule 506(b): private placement",
    cited: "17 CFR § 230.506(b)",
    about: "No advertising. Accredited investors, and at most 35 others. Restricted for a year where the issuer does not report (Rule 144(d)).",
    usual: { countryRule: "only", countries: "US", accreditationRequired: true, lockUpDays: "365", maxHolders: "1999" },
  },
  reg_d_506c: {
    title: "Regulation D, Rule 506(c): accredited investors alone",
    cited: "17 CFR § 230.506(c)",
    about: "May be advertised. Everybody's accreditation is verified. Restricted for a year where the issuer does not report (Rule 144(d)).",
    usual: { countryRule: "only", countries: "US", accreditationRequired: true, lockUpDays: "365", maxHolders: "1999" },
  },
  eu_150: {
    title: "European Union: fewer than 150 persons a member state",
    cited: "Regulation (EU) 2017/1129, Art. 1(4)(b)",
    about: "No prospectus where it is offered to fewer than 150 natural or legal persons in each member state, besides qualified investors.",
    usual: { countryRule: "any", countries: "", accreditationRequired: false, maxHolders: "149", lockUpDays: "" },
  },
  eu_qualified: {
    title: "European Union: qualified investors alone",
    cited: "Regulation (EU) 2017/1129, Art. 1(4)(a)",
    about: "No prospectus where only qualified investors are addressed.",
    usual: { countryRule: "any", countries: "", accreditationRequired: true, lockUpDays: "" },
  },
  registered: {
    title: "Registered, or with a prospectus",
    cited: "15 U.S.C. § 77e; Regulation (EU) 2017/1129, Art. 3",
    about: "Open to everybody whom the approved prospectus or registration statement addresses.",
    usual: { countryRule: "any", countries: "", accreditationRequired: false, lockUpDays: "" },
  },
};

export const EXEMPTIONS = Object.keys(RULES) as readonly Exemption[];
