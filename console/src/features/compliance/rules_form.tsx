import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { readCount } from "../../domain/count.ts";
import { isAmount } from "../../domain/decimal.ts";
import type { Rules as Settable } from "../../domain/proposed_rules.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Check, Dialog, ErrorState, Field } from "../../ui/index.ts";
import { rulesOf } from "./queries.ts";

type Rules = Schemas["RulesAnswer"];

const COUNTRIES = /^([A-Z]{2}([\s,]+|$))*$/;

function draftOf(rules: Settable) {
  return {
    level: String(rules.minKycLevel),
    accredited: rules.accreditationRequired,
    allowed: rules.allowedJurisdictions.join(", "),
    blocked: rules.blockedJurisdictions.join(", "),
    holders: rules.maxHolders === null ? "" : String(rules.maxHolders),
    ownership: rules.maxOwnership ?? "",
    lockUp: String(rules.lockUpDays),
  };
}

type Draft = ReturnType<typeof draftOf>;

const split = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

function problemsOf(draft: Draft): Partial<Record<keyof Draft, string>> {
  const count = (text: string) => (readCount(text) === null ? "A whole number." : undefined);
  const countries = (text: string) => (COUNTRIES.test(text) ? undefined : "Two capital letters each, such as PT, LU.");
  const found = {
    level: count(draft.level),
    lockUp: count(draft.lockUp),
    holders: draft.holders === "" ? undefined : count(draft.holders),
    ownership: draft.ownership === "" || isAmount(draft.ownership) ? undefined : "An amount of whole tokens.",
    allowed: countries(draft.allowed),
    blocked: countries(draft.blocked),
  };
  return Object.fromEntries(Object.entries(found).filter(([, problem]) => problem !== undefined));
}

function bodyOf(draft: Draft): Schemas["SetRules"] {
  return {
    minKycLevel: readCount(draft.level) ?? 0,
    accreditationRequired: draft.accredited,
    allowedJurisdictions: split(draft.allowed),
    blockedJurisdictions: split(draft.blocked),
    maxHolders: readCount(draft.holders),
    maxOwnership: draft.ownership || null,
    lockUpDays: readCount(draft.lockUp) ?? 0,
  };
}

interface Props {
  readonly symbol: string;
  readonly rules: Rules;
  /** What the form begins with; the rules as they are where nothing is said. */
  readonly start?: Settable;
  readonly onClose: () => void;
}

/** Other rules in the place of a token's: of the version that was seen, and no other. */
export function RulesForm({ symbol, rules, start = rules, onClose }: Props) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(start));
  const key = useRef(newKey());
  const problems = problemsOf(draft);
  const again = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: rulesOf(rules.tokenId).queryKey });
    onClose();
  };
  const saving = useMutation({
    mutationFn: () =>
      api.put("/api/v1/tokens/{id}/rules", { path: { id: rules.tokenId }, body: bodyOf(draft), key: key.current, seen: rules.version }),
    onSuccess: async () => {
      tell("The rules are written", symbol);
      await again();
    },
  });
  const isStale = saving.error instanceof ApiProblem && saving.error.face === "stale";
  const field = (name: Exclude<keyof Draft, "accredited">) => ({
    value: draft[name],
    error: problems[name],
    onChange: ({ target }: { target: { value: string } }) => {
      setDraft({ ...draft, [name]: target.value });
      key.current = newKey();
    },
  });
  return (
    <Dialog open title={`Rules of ${symbol}`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="KYC level at least" inputMode="numeric" {...field("level")} />
          <Field label="Lock-up in days" inputMode="numeric" {...field("lockUp")} />
          <Field label="Countries allowed" help="Empty: every country" {...field("allowed")} />
          <Field label="Countries blocked" {...field("blocked")} />
          <Field label="Holders at most" inputMode="numeric" help="Empty: no limit" {...field("holders")} />
          <Field label="One holder owns at most" inputMode="decimal" help="In tokens; empty: no limit" {...field("ownership")} />
          <Check
            className="sm:col-span-2"
            label="Only accredited investors"
            checked={draft.accredited}
            onChange={({ target }) => setDraft({ ...draft, accredited: target.checked })}
          />
        </div>
        <p className="text-[13px] text-muted">They hold at once for whatever is admitted or executed; nobody loses what they have.</p>
        {saving.error ? <ErrorState error={saving.error} action={isStale ? <Button small onClick={() => void again()}>Look again</Button> : null} /> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep as they are</Button>
          <Button tone="primary" type="submit" busy={saving.isPending} reason={isStale ? "Look again first" : (Object.values(problems)[0] ?? null)}>
            Write the rules
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
