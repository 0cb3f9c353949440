import { RULES } from "../../domain/exemptions.ts";
import { countriesOf, problemsOf, readable, registrationOf, type Draft } from "../../domain/registration.ts";
import { sentence } from "../../domain/words.ts";
import { Button, CopyAs, Facts, Hex, Notice, Nothing, Quantity } from "../../ui/index.ts";
import { STEPS } from "./steps.tsx";

/** Everything once more as it will be sent, with the way back to each step that is not right yet. */
export function Review({ draft, onStep }: { draft: Draft; onStep: (step: number) => void }) {
  const problems = problemsOf(draft);
  const wanting = STEPS.map((step, place) => [step, place] as const).filter(([step]) => step.fields.some((field) => problems[field]));
  const unit = draft.tokenSymbol;
  return (
    <div className="flex flex-col gap-5">
      {wanting.map(([step, place]) => (
        <Notice key={step.title} tone="warn" title={`${step.title} is not complete`}>
          <p>{step.fields.map((field) => problems[field]).find(Boolean)}</p>
          <Button small className="mt-2" onClick={() => onStep(place)}>
            Go there
          </Button>
        </Notice>
      ))}
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <Facts
          facts={[
            ["Asset", draft.name || <Nothing />],
            ["What it is", draft.assetType ? sentence(draft.assetType) : <Nothing />],
            ["Symbol", draft.tokenSymbol || <Nothing />],
            ["Name of the token", draft.tokenName || draft.name || <Nothing />],
            ["Initial supply", <Quantity key="s" value={readable(draft.totalSupply)} unit={unit} />],
            ["Supply cap", <Quantity key="c" value={readable(draft.supplyCap || draft.totalSupply)} unit={unit} />],
            ["Decimals", String(draft.decimals)],
            ["Valuation", <Quantity key="v" value={readable(draft.valuation)} unit={draft.currency} />],
            ["Where it is", draft.location || <Nothing />],
            ["Description", draft.description ? <Written key="w" text={draft.description} /> : <Nothing />],
            ["Further facts", draft.attributes ? <Written key="f" text={draft.attributes} /> : <Nothing />],
          ]}
        />
        <Facts
          facts={[
            ["Offered under", draft.exemption ? RULES[draft.exemption].title : <Nothing />],
            ["Country", draft.jurisdiction || <Nothing />],
            ["Supervised by", draft.regulator || <Nothing />],
            ["Holders from", holders(draft)],
            ["Identity", `Level ${draft.minKycLevel}${draft.accreditationRequired ? ", accredited alone" : ""}`],
            ["Locked up for", draft.lockUpDays ? `${draft.lockUpDays} days` : <Nothing />],
            ["Holders at most", draft.maxHolders || <Nothing />],
            ["Held by one at most", <Quantity key="o" value={readable(draft.maxOwnership)} unit={unit} />],
            ["Documents", <Documents key="d" draft={draft} />],
          ]}
        />
      </div>
      <details className="rounded-md border border-line">
        <summary className="px-3 py-2 font-medium">The same as JSON, for a program</summary>
        <div className="flex flex-col gap-2 border-t border-line p-3">
          <pre tabIndex={0} aria-label="The request's body" className="max-h-80 overflow-auto font-mono text-[13px]">
            {JSON.stringify(registrationOf(draft), null, 2)}
          </pre>
          <CopyAs request={{ method: "POST", path: "/api/v1/markets/register", body: registrationOf(draft), keyed: true }} />
        </div>
      </details>
    </div>
  );
}

function Written({ text }: { text: string }) {
  return (
    <span className="whitespace-pre-wrap break-words" dir="auto">
      {text.trim()}
    </span>
  );
}

function holders({ countryRule, countries }: Draft): string {
  const codes = countriesOf(countries).join(", ");
  return { any: "any country", only: `${codes} alone`, except: `anywhere but ${codes}` }[countryRule];
}

function Documents({ draft }: { draft: Draft }) {
  if (draft.documents.length === 0) return <Nothing />;
  return (
    <ul>
      {draft.documents.map((document) => (
        <li key={document.id}>
          {document.title} <Hex value={document.sha256} />
        </li>
      ))}
    </ul>
  );
}
