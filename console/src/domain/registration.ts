/** What an issuer writes before anything is sent: the draft of a registration, what is wrong with it, and the body that
 * the API takes. */

import { add, compare, isPositive, placesOf, readAmount, type Decimal } from "./decimal.ts";
import type { Exemption } from "./exemptions.ts";

export type AssetType =
  | "real_estate"
  | "corporate_stock"
  | "government_bond"
  | "commodity"
  | "private_equity"
  | "art_collectible"
  | "carbon_credit"
  | "other";

/** A document that is on record. */
export interface DraftDocument {
  readonly id: string;
  readonly title: string;
  readonly kind: string;
  readonly sha256: string;
}

export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly assetType: AssetType | "";
  readonly tokenSymbol: string;
  readonly tokenName: string;
  readonly decimals: number;
  readonly totalSupply: string;
  readonly supplyCap: string;
  readonly valuation: string;
  readonly currency: string;
  readonly location: string;
  /** One a line: `yield: 5.2`. */
  readonly attributes: string;
  readonly jurisdiction: string;
  readonly regulator: string;
  readonly exemption: Exemption | "";
  readonly minKycLevel: number;
  readonly accreditationRequired: boolean;
  readonly countryRule: "any" | "only" | "except";
  readonly countries: string;
  readonly maxHolders: string;
  readonly maxOwnership: string;
  readonly lockUpDays: string;
  readonly documents: readonly DraftDocument[];
}

export type FieldName = keyof Draft;
export type Problems = Readonly<Partial<Record<FieldName, string>>>;

export const EMPTY_DRAFT: Draft = {
  name: "",
  description: "",
  assetType: "",
  tokenSymbol: "",
  tokenName: "",
  decimals: 18,
  totalSupply: "",
  supplyCap: "",
  valuation: "",
  currency: "",
  location: "",
  attributes: "",
  jurisdiction: "",
  regulator: "",
  exemption: "",
  minKycLevel: 1,
  accreditationRequired: false,
  countryRule: "any",
  countries: "",
  maxHolders: "",
  maxOwnership: "",
  lockUpDays: "",
  documents: [],
};

/** A registration that would pass, for trying it out. The tag keeps its symbol from being somebody else's. */
export function exampleDraft(tag: string): Draft {
  return {
    ...EMPTY_DRAFT,
    name: "Harbour Wharf",
    description: "A warehouse of 4,200 m² on the river, let to three tenants until 2034.",
    assetType: "real_estate",
    tokenSymbol: `WHARF-${tag.toUpperCase()}`,
    tokenName: "Harbour Wharf Share",
    totalSupply: "100000",
    supplyCap: "150000",
    valuation: "2000000",
    currency: "EUR",
    location: "Quay 3, Lisbon",
    attributes: "area: 4200 m²\nyield: 5.2\nbuilt: 1931",
    jurisdiction: "PT",
    regulator: "CMVM",
    exemption: "reg_s",
    minKycLevel: 1,
    countryRule: "except",
    countries: "US",
    maxHolders: "1999",
    maxOwnership: "25000",
    lockUpDays: "40",
  };
}

const SYMBOL = /^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$/;
/** Control characters and direction marks make a text read as another one. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
const WHOLE = /^[1-9][0-9]{0,9}$/;
const MOST_DAYS = "3660";
const MOST_HOLDERS = "2147483647";
const MOST_COUNTRIES = 249;

/** Everything that the API would refuse, and what an officer would send back, by field. */
export function problemsOf(draft: Draft): Problems {
  const told: Partial<Record<FieldName, string>> = {};
  const wrong = (field: FieldName, why: string | null): void => {
    if (why !== null) told[field] ??= why;
  };
  wrong("name", required(draft.name, "Give the asset its name.") ?? line(draft.name, 200));
  wrong("description", line(draft.description, 4000));
  wrong("assetType", draft.assetType ? null : "Choose what it is.");
  wrong("tokenSymbol", symbol(draft.tokenSymbol));
  wrong("tokenName", line(draft.tokenName, 64));
  wrong("totalSupply", required(draft.totalSupply, "Say how many tokens there are at first.") ?? amount(draft.totalSupply, draft.decimals));
  wrong("supplyCap", draft.supplyCap ? (amount(draft.supplyCap, draft.decimals) ?? cap(draft)) : null);
  wrong("valuation", draft.valuation ? amount(draft.valuation, 18) : null);
  wrong("currency", currency(draft));
  wrong("location", line(draft.location, 500));
  wrong("attributes", attributesProblem(draft.attributes));
  wrong("jurisdiction", country(draft.jurisdiction));
  wrong("regulator", line(draft.regulator, 200));
  wrong("countries", countriesProblem(draft));
  wrong("maxHolders", whole(draft.maxHolders, MOST_HOLDERS));
  wrong("maxOwnership", draft.maxOwnership ? (amount(draft.maxOwnership, draft.decimals) ?? ownership(draft)) : null);
  wrong("lockUpDays", whole(draft.lockUpDays, MOST_DAYS));
  return told;
}

function required(text: string, why: string): string | null {
  return text.trim() ? null : why;
}

function line(text: string, most: number): string | null {
  if (text.length > most) return `At most ${most} characters.`;
  if (UNSEEN.test(text)) return "It holds characters that cannot be seen.";
  return text && !text.trim() ? "It is only white space." : null;
}

function symbol(text: string): string | null {
  if (!text) return "Give the token its symbol.";
  if (!SYMBOL.test(text)) return "Capital letters, digits and single hyphens, a letter first.";
  return text.length < 2 || text.length > 32 ? "2 to 32 characters." : null;
}

function amount(typed: string, decimals: number): string | null {
  const read = readAmount(typed);
  if (read === null) return "Write an amount such as 1000 or 0.5, with at most 18 places.";
  if (!isPositive(read)) return "It must be more than zero.";
  return placesOf(read) > decimals ? `A token of ${decimals} decimals has no finer parts than that.` : null;
}

function cap({ supplyCap, totalSupply }: Draft): string | null {
  const [most, first] = [readAmount(supplyCap), readAmount(totalSupply)];
  return most && first && compare(most, first) < 0 ? "It cannot be less than what is issued at first." : null;
}

function ownership({ maxOwnership, totalSupply, supplyCap }: Draft): string | null {
  const [one, all] = [readAmount(maxOwnership), readAmount(supplyCap || totalSupply)];
  return one && all && compare(one, all) > 0 ? "That is more than there can ever be." : null;
}

function currency({ currency: code, valuation }: Draft): string | null {
  if (!code) return valuation ? "A valuation needs its currency." : null;
  return /^[A-Z]{3,5}$/.test(code) ? null : "An ISO 4217 code such as EUR.";
}

function country(code: string): string | null {
  return !code || /^[A-Z]{2}$/.test(code) ? null : "Two letters of ISO 3166, such as PT.";
}

function countriesProblem(draft: Draft): string | null {
  if (draft.countryRule === "any") return null;
  const codes = countriesOf(draft.countries);
  if (codes.length === 0) return "Name at least one country.";
  const odd = codes.find((code) => country(code) !== null);
  if (odd) return `${odd} is no country code: two letters of ISO 3166 each, such as PT.`;
  return codes.length > MOST_COUNTRIES ? "There are not so many countries." : null;
}

/** `pt, es  FR` → `PT`, `ES`, `FR`; each once. */
export function countriesOf(text: string): readonly string[] {
  return [...new Set(text.toUpperCase().split(/[\s,;]+/).filter(Boolean))];
}

function whole(text: string, most: string): string | null {
  if (!text) return null;
  if (!WHOLE.test(text)) return "A whole number, 1 or more.";
  return compare(text, most) > 0 ? `At most ${most}.` : null;
}

function attributesProblem(text: string): string | null {
  for (const entry of linesOf(text)) {
    if (!/^[^:]{1,64}:./.test(entry)) return `“${entry.slice(0, 30)}”: write a name, a colon and a value on each line.`;
  }
  return UNSEEN.test(text) ? "It holds characters that cannot be seen." : null;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").map((entry) => entry.trim()).filter(Boolean);
}

/** The JSON that is sent: the same that a program would send. The draft has no problems. */
export function registrationOf(draft: Draft) {
  const plain = (typed: string): Decimal => add(readAmount(typed) ?? "0", "0");
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    assetType: draft.assetType as AssetType,
    tokenSymbol: draft.tokenSymbol,
    tokenName: draft.tokenName.trim(),
    decimals: draft.decimals,
    totalSupply: plain(draft.totalSupply),
    ...(draft.supplyCap ? { supplyCap: plain(draft.supplyCap) } : {}),
    assetDetails: {
      ...(draft.valuation ? { valuation: plain(draft.valuation) } : {}),
      ...(draft.currency ? { currency: draft.currency } : {}),
      ...(draft.location.trim() ? { location: draft.location.trim() } : {}),
      complianceDocuments: draft.documents.map(({ id }) => id),
      regulatoryInfo: {
        ...(draft.jurisdiction ? { jurisdiction: draft.jurisdiction } : {}),
        ...(draft.regulator.trim() ? { regulator: draft.regulator.trim() } : {}),
        ...(draft.exemption ? { exemption: draft.exemption } : {}),
        proposedRules: proposedRules(draft),
      },
      attributes: attributesOf(draft.attributes),
    },
  };
}

export type Registration = ReturnType<typeof registrationOf>;

/** As the token's rules take them (`PUT /tokens/{id}/rules`), so that the officer can set them as they are proposed. */
function proposedRules(draft: Draft) {
  const countries = countriesOf(draft.countries);
  const count = (text: string): number => JSON.parse(text) as number;
  return {
    minKycLevel: draft.minKycLevel,
    accreditationRequired: draft.accreditationRequired,
    ...(draft.countryRule === "only" ? { allowedJurisdictions: countries } : {}),
    ...(draft.countryRule === "except" ? { blockedJurisdictions: countries } : {}),
    ...(draft.maxHolders ? { maxHolders: count(draft.maxHolders) } : {}),
    ...(draft.maxOwnership ? { maxOwnership: add(readAmount(draft.maxOwnership) ?? "0", "0") } : {}),
    ...(draft.lockUpDays ? { lockUpDays: count(draft.lockUpDays) } : {}),
  };
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((entry) => {
      const [name = "", ...rest] = entry.split(":");
      return [name.trim(), rest.join(":").trim()];
    }),
  );
}

/** Which field a refusal of the API points at: `/assetDetails/valuation` → `valuation`. */
export function fieldOf(pointer: string): FieldName | null {
  const [first = "", second = ""] = pointer.split("/").slice(1);
  const name = first === "assetDetails" ? (second === "complianceDocuments" ? "documents" : second) : first;
  return name in EMPTY_DRAFT ? (name as FieldName) : null;
}

/** What was typed as an amount that can be shown; nothing where it is none yet. */
export function readable(typed: string): Decimal | null {
  return typed ? readAmount(typed) : null;
}
