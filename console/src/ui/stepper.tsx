import type { ReactNode } from "react";
import { classes } from "./classes.ts";

export type StepState = "done" | "now" | "next" | "failed";

export interface StepEntry {
  readonly title: ReactNode;
  readonly state: StepState;
  readonly detail?: ReactNode;
}

const MARK: Readonly<Record<StepState, string>> = {
  done: "border-up bg-up text-on-up",
  now: "border-accent bg-accent-soft text-accent",
  next: "border-edge bg-panel text-muted",
  failed: "border-down bg-down text-on-down",
};
const SIGN: Readonly<Record<StepState, string>> = { done: "✓", now: "•", next: "", failed: "!" };
const SAID: Readonly<Record<StepState, string>> = {
  done: "done",
  now: "under way",
  next: "still to come",
  failed: "failed",
};

/** Where something stands on its way. */
export function Stepper({ label, steps }: { label: string; steps: readonly StepEntry[] }) {
  return (
    <ol aria-label={label} className="flex flex-col">
      {steps.map((step, place) => (
        <li key={place} className="flex gap-3" aria-current={step.state === "now" ? "step" : undefined} data-state={step.state}>
          <div className="flex flex-col items-center">
            <span aria-hidden="true" className={classes("flex size-6 shrink-0 items-center justify-center rounded-full border-2 text-[13px] font-bold", MARK[step.state])}>
              {SIGN[step.state]}
            </span>
            {place < steps.length - 1 ? <span aria-hidden="true" className="my-0.5 w-px flex-1 bg-line" /> : null}
          </div>
          <div className="min-w-0 pb-4">
            <p className={classes("font-medium", step.state === "next" && "text-muted")}>
              {step.title} <span className="sr-only">({SAID[step.state]})</span>
            </p>
            {step.detail ? <div className="text-[13px] text-muted">{step.detail}</div> : null}
          </div>
        </li>
      ))}
    </ol>
  );
}
