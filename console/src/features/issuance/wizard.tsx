import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { exampleDraft, fieldOf, problemsOf, registrationOf, type FieldName, type Problems } from "../../domain/registration.ts";
import { tell } from "../../state/toasts.ts";
import { Button, classes, ErrorState, Panel } from "../../ui/index.ts";
import type { KeptDraft } from "./drafts.ts";
import { anchor } from "./inputs.tsx";
import { Review } from "./review.tsx";
import { STEPS } from "./steps.tsx";

const REVIEW = STEPS.length;

/** Step by step to a registration. What is wrong is told where it stands, and only after one has tried to go on. */
export function Wizard({ kept }: { kept: KeptDraft }) {
  const { draft, change } = kept;
  const [step, setStep] = useState(0);
  const [tried, setTried] = useState<readonly number[]>([]);
  const [refused, setRefused] = useState<Problems>({});
  const found = useMemo(() => problemsOf(draft), [draft]);
  const panel = useRef<HTMLDivElement>(null);
  const heading = useHeadingOf(step);
  const sending = useRegistration(kept, (problems) => {
    setRefused(problems);
    const place = STEPS.findIndex(({ fields }) => fields.some((field) => problems[field]));
    if (place >= 0) setStep(place);
  });
  const now = STEPS[step];
  const fields = now?.fields ?? [];
  const shown = { ...(tried.includes(step) ? only(found, fields) : {}), ...only(refused, fields) };
  const first = fields.find((field) => shown[field]);
  useEffect(() => {
    // To the first field that is wrong, when one has tried to go on or the server has refused.
    if (first) panel.current?.querySelector<HTMLElement>(`#${anchor(first)} :is(input, select, textarea)`)?.focus();
  }, [tried, refused, step]);
  const go = (place: number): void => {
    setTried((before) => [...new Set([...before, step])]);
    if (place > step && fields.some((field) => found[field])) return;
    setStep(place);
  };
  const write = (part: Partial<typeof draft>): void => {
    setRefused((before) => without(before, Object.keys(part)));
    change(part);
  };
  return (
    <Panel flush>
      <div className="border-b border-line p-2">
        <StepList step={step} found={found} tried={tried} onStep={setStep} />
      </div>
      <div ref={panel} className="flex flex-col gap-5 p-4">
        <h2 ref={heading} tabIndex={-1} className="scroll-mt-28 text-lg font-semibold outline-none">
          {now?.title ?? "Review"}
        </h2>
        {now ? now.body({ draft, change: write, problems: shown }) : <Review draft={draft} onStep={setStep} />}
        {sending.error ? <ErrorState error={sending.error} /> : null}
        <div className="flex flex-wrap items-center gap-2 border-t border-line pt-4">
          <Button reason={step === 0 ? "This is the first step" : null} onClick={() => setStep(step - 1)}>
            Back
          </Button>
          {now ? (
            <Button tone="primary" onClick={() => go(step + 1)}>
              Next: {STEPS[step + 1]?.title ?? "Review"}
            </Button>
          ) : (
            <Button tone="primary" busy={sending.isPending} reason={Object.keys(found).length > 0 ? "Something is missing above" : null} onClick={() => sending.mutate()}>
              Submit for approval
            </Button>
          )}
          <span className="ml-auto flex flex-wrap items-center gap-2">
            <span role="note" className="text-[13px] text-muted">
              {kept.kept ? "Draft kept in this browser" : "Nothing written yet"}
            </span>
            {kept.kept ? (
              <Button small tone="quiet" onClick={kept.forget}>
                Discard
              </Button>
            ) : null}
            <Button small onClick={() => write(exampleDraft(newKey().slice(0, 4)))}>
              Fill with an example
            </Button>
          </span>
        </div>
      </div>
    </Panel>
  );
}

/** Another step begins at its heading, for the eye and for the ear. */
function useHeadingOf(step: number) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) heading.current?.focus();
    shown.current = step;
  }, [step]);
  return heading;
}

function useRegistration(kept: KeptDraft, onRefused: (problems: Problems) => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  // One intention, however often it is pressed: until the draft changes.
  const key = useMemo(() => newKey(), [kept.draft]);
  return useMutation({
    mutationFn: () => api.post("/api/v1/markets/register", { body: registrationOf(kept.draft), key }),
    onSuccess: (market) => {
      kept.forget();
      tell("Registered", `${market.name} waits for compliance.`);
      void client.invalidateQueries({ queryKey: ["markets"] });
      void navigate({ to: `/issuer/markets/${market.id}` });
    },
    onError: (error) => onRefused(refusedFields(error)),
  });
}

/** What the server has refused, by field of the draft. */
function refusedFields(error: unknown): Problems {
  if (!(error instanceof ApiProblem)) return {};
  if (error.code === "symbol_taken") return { tokenSymbol: error.detail };
  const told: Partial<Record<FieldName, string>> = {};
  for (const { pointer, detail } of error.fields) {
    const field = fieldOf(pointer);
    if (field) told[field] ??= detail;
  }
  return told;
}

function only(problems: Problems, fields: readonly FieldName[]): Problems {
  return Object.fromEntries(Object.entries(problems).filter(([field]) => fields.includes(field as FieldName)));
}

function without(problems: Problems, fields: readonly string[]): Problems {
  return Object.fromEntries(Object.entries(problems).filter(([field]) => !fields.includes(field)));
}

interface StepListProps {
  readonly step: number;
  readonly found: Problems;
  readonly tried: readonly number[];
  readonly onStep: (step: number) => void;
}

function StepList({ step, found, tried, onStep }: StepListProps) {
  const titles = [...STEPS.map(({ title }) => title), "Review"];
  return (
    <ol aria-label="Steps" className="flex flex-wrap gap-1">
      {titles.map((title, place) => {
        const wrong = STEPS[place]?.fields.some((field) => found[field]) ?? false;
        const sign = wrong && tried.includes(place) ? "!" : tried.includes(place) && place < REVIEW ? "✓" : String(place + 1);
        return (
          <li key={title}>
            <button
              type="button"
              aria-current={place === step ? "step" : undefined}
              onClick={() => onStep(place)}
              className={classes("flex items-center gap-1.5 rounded px-2 py-1 text-[13px]", place === step ? "bg-accent-soft font-semibold text-accent" : "text-muted hover:text-text")}
            >
              <span className="figures">{sign}</span> {title}
            </button>
          </li>
        );
      })}
    </ol>
  );
}
