import type { ReactNode } from "react";
import { classes } from "./classes.ts";

/** The name of a page, what it is for, and what can be done there. */
export function PageTitle({ title, about, actions }: { title: ReactNode; about?: ReactNode; actions?: ReactNode }) {
  return (
    <header className="mb-4 flex flex-wrap items-start justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight" dir="auto">
          {title}
        </h1>
        {about ? <p className="mt-0.5 max-w-prose text-muted">{about}</p> : null}
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
    </header>
  );
}

interface PanelProps {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  /** Without padding, for tables that reach the edge. */
  readonly flush?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Panel({ title, actions, flush, className, children }: PanelProps) {
  return (
    <section className={classes("min-w-0 rounded-lg border border-line bg-panel", className)}>
      {title || actions ? (
        <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
          <h2 className="font-semibold">{title}</h2>
          {actions}
        </div>
      ) : null}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

/** Names and values, one below the other. */
export function Facts({ facts }: { facts: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1.5">
      {facts.map(([name, value], place) => (
        <div key={place} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0" dir="auto">
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** One number that matters, and what it is. */
export function Stat({ label, children, hint }: { label: ReactNode; children: ReactNode; hint?: ReactNode }) {
  return (
    <div className="min-w-0">
      <div className="text-[13px] text-muted">{label}</div>
      <div className="figures text-lg font-semibold">{children}</div>
      {hint ? <div className="text-[13px] text-muted">{hint}</div> : null}
    </div>
  );
}

export type NoticeTone = "info" | "warn" | "bad" | "good";

const NOTICE: Readonly<Record<NoticeTone, string>> = {
  info: "border-accent bg-accent-soft",
  warn: "border-warn bg-warn-soft",
  bad: "border-down bg-down-soft",
  good: "border-up bg-up-soft",
};

export function Notice({ tone = "info", title, children }: { tone?: NoticeTone; title?: ReactNode; children?: ReactNode }) {
  return (
    <div className={classes("rounded-md border-l-4 px-3 py-2 text-text", NOTICE[tone])}>
      {title ? <p className="font-semibold">{title}</p> : null}
      {children}
    </div>
  );
}
