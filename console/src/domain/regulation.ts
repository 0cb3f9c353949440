/** What an issuer says of regulation, in the words of the form in which it was asked; what is of no known name as it
 * stands. */

import { RULES, type Exemption } from "./exemptions.ts";
import { lines, type Line } from "./free_form.ts";
import { proposedOf, type Rules } from "./proposed_rules.ts";

export function regulation(told: unknown): Line[] {
  const rules = proposedOf(told);
  if (typeof told !== "object" || told === null || Array.isArray(told)) return lines(told);
  const { exemption, proposedRules, ...others } = told as Readonly<Record<string, unknown>>;
  const title = typeof exemption === "string" && Object.hasOwn(RULES, exemption) ? RULES[exemption as Exemption].title : exemption;
  return [...lines({ offeredUnder: title }), ...lines(others), ...(rules ? proposals(rules) : lines({ proposedRules }))];
}

/** The limits alone: what is not proposed is not told. */
function proposals(rules: Rules): Line[] {
  const { allowedJurisdictions: only, blockedJurisdictions: except } = rules;
  return lines({
    "Proposed: identity verified to": `Level ${rules.minKycLevel}`,
    "Proposed: accredited alone": rules.accreditationRequired ? "Yes" : null,
    "Proposed: residents of": only.join(", "),
    "Proposed: not residents of": except.join(", "),
    "Proposed: holders at most": rules.maxHolders,
    "Proposed: held by one at most": rules.maxOwnership,
    "Proposed: locked up for": rules.lockUpDays ? `${rules.lockUpDays} days` : null,
  });
}
