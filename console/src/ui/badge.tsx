import type { ReactNode } from "react";
import { sentence } from "../domain/words.ts";
import { classes } from "./classes.ts";

export type Tone = "neutral" | "good" | "bad" | "warn" | "accent";

const TONES: Readonly<Record<Tone, string>> = {
  neutral: "bg-raised text-text",
  good: "bg-up-soft text-up",
  bad: "bg-down-soft text-down",
  warn: "bg-warn-soft text-warn",
  accent: "bg-accent-soft text-accent",
};

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={classes("inline-flex items-center rounded px-1.5 py-px text-[12px] font-medium whitespace-nowrap", TONES[tone])}>
      {children}
    </span>
  );
}

const STATUS: Readonly<Record<string, Tone>> = {
  active: "good",
  approved: "good",
  completed: "good",
  filled: "good",
  settled: "good",
  credited: "good",
  verified: "good",
  success: "good",
  ok: "good",
  open: "accent",
  partial: "accent",
  activating: "accent",
  processing: "accent",
  settling: "accent",
  pending: "warn",
  pending_match: "warn",
  pending_approval: "warn",
  paused: "warn",
  unknown: "warn",
  expired: "warn",
  draft: "neutral",
  archived: "neutral",
  cancelled: "neutral",
  closed: "neutral",
  rejected: "bad",
  failed: "bad",
  frozen: "bad",
  sanctioned: "bad",
};

/** A state of the API in words and, beside them, in colour. */
export function Status({ of }: { of: string }) {
  return <Badge tone={STATUS[of.toLowerCase()] ?? "neutral"}>{sentence(of)}</Badge>;
}
