/** What the wizard asks, step by step. */

import type { ReactNode } from "react";
import type { AssetType, Draft, FieldName } from "../../domain/registration.ts";
import { EXEMPTIONS, RULES, type Exemption } from "../../domain/exemptions.ts";
import { sentence } from "../../domain/words.ts";
import { Notice } from "../../ui/index.ts";
import { DocumentsStep } from "./documents_step.tsx";
import { Agreed, Amount, Choice, Lines, Text, type Form } from "./inputs.tsx";

export interface WizardStep {
  readonly title: string;
  readonly fields: readonly FieldName[];
  readonly body: (form: Form) => ReactNode;
}

const TYPES: readonly AssetType[] = [
  "real_estate",
  "corporate_stock",
  "government_bond",
  "commodity",
  "private_equity",
  "art_collectible",
  "carbon_credit",
  "other",
];
const GRID = "grid gap-4 sm:grid-cols-2";
const WIDE = "sm:col-span-2";

function TokenDetails({ form }: { form: Form }) {
  return (
    <div className={GRID}>
      <Text form={form} name="name" label="Name of the asset" placeholder="Harbour Wharf" className={WIDE} />
      <Choice
        form={form}
        name="assetType"
        label="What it is"
        options={[["", "Choose…"], ...TYPES.map((type) => [type, sentence(type)] as const)]}
      />
      <Text
        form={form}
        name="tokenSymbol"
        label="Symbol"
        upper
        max={32}
        placeholder="WHARF"
        help="It names the token and its pair for ever, and no two markets have the same."
      />
      <Text form={form} name="tokenName" label="Name of the token" max={64} placeholder="As the asset" help="As the contract on the chain tells it. Left empty, the asset's name." />
      <Text form={form} name="location" label="Where it is" placeholder="Quay 3, Lisbon" />
      <Lines form={form} name="description" label="Description" rows={4} className={WIDE} help="What investors read first." />
    </div>
  );
}

function Configuration({ form }: { form: Form }) {
  const unit = form.draft.tokenSymbol ? { unit: form.draft.tokenSymbol } : {};
  return (
    <div className={GRID}>
      <Amount form={form} name="totalSupply" label="Initial supply" {...unit} help="Minted to your account in the vault when the contract stands." />
      <Amount form={form} name="supplyCap" label="Supply cap" {...unit} help="The contract refuses more. Left empty, nothing can be minted later." />
      <Choice
        form={form}
        name="decimals"
        label="Decimals"
        help="How fine one token can be split. It cannot be changed."
        options={[
          [18, "18 decimals"],
          [8, "8 decimals"],
          [6, "6 decimals"],
          [2, "2 decimals"],
          [0, "Whole tokens alone"],
        ]}
      />
      <div className="hidden sm:block" />
      <Amount form={form} name="valuation" label="Valuation" {...(form.draft.currency ? { unit: form.draft.currency } : {})} help="Shown beside the last price, with its date." />
      <Text form={form} name="currency" label="Currency of the valuation" upper max={5} placeholder="EUR" />
      <Lines
        form={form}
        name="attributes"
        label="Further facts"
        rows={4}
        className={WIDE}
        placeholder={"area: 4200 m²\nyield: 5.2"}
        help="One a line: a name, a colon, a value."
      />
    </div>
  );
}

function Compliance({ form }: { form: Form }) {
  const rule = form.draft.exemption ? RULES[form.draft.exemption] : null;
  return (
    <div className="flex flex-col gap-4">
      <Notice>
        You propose; the compliance officer decides, and sets the token's rules. Identity is always verified before anybody
        holds it.
      </Notice>
      <Choice
        form={form}
        name="exemption"
        label="Offered under"
        options={[["", "Not decided"], ...EXEMPTIONS.map((key) => [key, RULES[key].title] as const)]}
        along={(chosen) => usualOf(chosen)}
        help={
          rule ? (
            <>
              {rule.about} <cite className="whitespace-nowrap not-italic">({rule.cited})</cite>
            </>
          ) : (
            "Choosing one fills in what it usually asks; everything below stays yours to change."
          )
        }
      />
      <div className={GRID}>
        <Text form={form} name="jurisdiction" label="Country of the asset" upper placeholder="PT" help="Two letters (ISO 3166)." />
        <Text form={form} name="regulator" label="Supervised by" placeholder="CMVM" />
        <Choice
          form={form}
          name="countryRule"
          label="Who may hold it"
          options={[
            ["any", "Residents of any country"],
            ["only", "Residents of these countries alone"],
            ["except", "Residents of all but these countries"],
          ]}
        />
        {form.draft.countryRule === "any" ? <div className="hidden sm:block" /> : <Text form={form} name="countries" label="Countries" upper placeholder="US, GB" />}
        <Choice
          form={form}
          name="minKycLevel"
          label="Identity verified to"
          options={[
            [1, "Level 1: identity"],
            [2, "Level 2: identity and address"],
            [3, "Level 3: source of funds too"],
          ]}
        />
        <Text form={form} name="lockUpDays" label="Locked up for" unit="days" help="What was bought cannot be passed on before (17 CFR § 230.144(d) asks 180 or 365)." />
        <Text form={form} name="maxHolders" label="Holders at most" help="Beyond 1,999 holders an issuer must register in the US (15 U.S.C. § 78l(g))." />
        <Amount form={form} name="maxOwnership" label="Held by one at most" {...(form.draft.tokenSymbol ? { unit: form.draft.tokenSymbol } : {})} />
      </div>
      <Agreed form={form} name="accreditationRequired" label="Accredited investors alone" help="17 CFR § 230.501(a): net worth above $1 million without the home, or income above $200,000." />
    </div>
  );
}

function usualOf(chosen: Exemption | ""): Partial<Draft> {
  return chosen ? RULES[chosen].usual : {};
}

export const STEPS: readonly WizardStep[] = [
  {
    title: "Token details",
    fields: ["name", "assetType", "tokenSymbol", "tokenName", "location", "description"],
    body: (form) => <TokenDetails form={form} />,
  },
  {
    title: "Configuration",
    fields: ["totalSupply", "supplyCap", "decimals", "valuation", "currency", "attributes"],
    body: (form) => <Configuration form={form} />,
  },
  {
    title: "Compliance",
    fields: ["exemption", "jurisdiction", "regulator", "countryRule", "countries", "minKycLevel", "lockUpDays", "maxHolders", "maxOwnership", "accreditationRequired"],
    body: (form) => <Compliance form={form} />,
  },
  { title: "Documents", fields: ["documents"], body: (form) => <DocumentsStep form={form} /> },
];
