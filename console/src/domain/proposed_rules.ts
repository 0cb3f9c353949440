/** The rules that an issuer proposes for a token. They stand in free facts, so anything may: what is no rule is none. */

import { isAmount } from "./decimal.ts";

export interface Rules {
  readonly minKycLevel: number;
  readonly accreditationRequired: boolean;
  readonly allowedJurisdictions: readonly string[];
  readonly blockedJurisdictions: readonly string[];
  readonly maxHolders: number | null;
  readonly maxOwnership: string | null;
  readonly lockUpDays: number;
}

const NO_LIMITS: Rules = {
  minKycLevel: 0,
  accreditationRequired: false,
  allowedJurisdictions: [],
  blockedJurisdictions: [],
  maxHolders: null,
  maxOwnership: null,
  lockUpDays: 0,
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCountries = (value: unknown): boolean => Array.isArray(value) && value.every((code) => typeof code === "string" && /^[A-Z]{2}$/.test(code));

const IS: Readonly<Record<keyof Rules, (value: unknown) => boolean>> = {
  minKycLevel: isCount,
  accreditationRequired: (value) => typeof value === "boolean",
  allowedJurisdictions: isCountries,
  blockedJurisdictions: isCountries,
  maxHolders: (value) => value === null || isCount(value),
  maxOwnership: (value) => value === null || (typeof value === "string" && isAmount(value)),
  lockUpDays: isCount,
};

/** What `regulatoryInfo` proposes, whole; `null` where it proposes nothing that could be set as it stands. */
export function proposedOf(regulatoryInfo: unknown): Rules | null {
  const told = isRecord(regulatoryInfo) ? regulatoryInfo.proposedRules : null;
  if (!isRecord(told) || Object.keys(told).length === 0) return null;
  const fits = Object.entries(told).every(([name, value]) => name in IS && IS[name as keyof Rules](value));
  return fits ? { ...NO_LIMITS, ...told } : null;
}

/** Of some rules what is one's to set, in an order that two of them share. */
export function settable(rules: Rules): Rules {
  const sorted = (codes: readonly string[]): readonly string[] => [...codes].sort();
  return {
    minKycLevel: rules.minKycLevel,
    accreditationRequired: rules.accreditationRequired,
    allowedJurisdictions: sorted(rules.allowedJurisdictions),
    blockedJurisdictions: sorted(rules.blockedJurisdictions),
    maxHolders: rules.maxHolders,
    maxOwnership: rules.maxOwnership,
    lockUpDays: rules.lockUpDays,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
