import { useEffect, useState, type ReactNode } from "react";
import type { Decimal } from "../domain/decimal.ts";
import { clockTime, day, inUtc, inZone, relative } from "../domain/moment.ts";
import { compact, fixed, grouped, percentOfBps, short } from "../domain/show.ts";
import { shortHex } from "../domain/words.ts";
import { classes } from "./classes.ts";
import { CopyButton } from "./copy.tsx";

interface QuantityProps {
  /** Exact decimal text, as the API gave it. */
  readonly value: Decimal | null | undefined;
  readonly unit?: string;
  /** How many places there is room for; more are cut and stand in the title. */
  readonly places?: number;
  /** Always so many places, so that columns line up. */
  readonly exact?: boolean;
  /** `1.2M`, for columns where only the size matters. */
  readonly rough?: boolean;
  readonly className?: string;
}

/** An amount: tabular, grouped, never through a number, exact to the last unit when one points at it. */
export function Quantity({ value, unit, places = 6, exact, rough, className }: QuantityProps) {
  if (value === null || value === undefined) return <Nothing />;
  const shown = rough ? compact(value) : exact ? fixed(value, places) : short(value, places);
  return (
    <span className={classes("figures", className)} title={`${grouped(value)}${unit ? ` ${unit}` : ""}`}>
      {shown}
      {unit ? <span className="text-muted"> {unit}</span> : null}
    </span>
  );
}

/** Money of a quote currency: two places, unless there are more. */
export function Money({ value, unit, places = 2, className }: QuantityProps) {
  return <Quantity value={value} {...(unit ? { unit } : {})} places={places} exact {...(className ? { className } : {})} />;
}

export function Nothing({ said = "none" }: { said?: string }) {
  return (
    <span className="text-muted">
      <span aria-hidden="true">–</span>
      <span className="sr-only">{said}</span>
    </span>
  );
}

/** A change in hundredths of a percent: sign and arrow, so that colour says nothing alone. */
export function Change({ bps }: { bps: number | null | undefined }) {
  if (bps === null || bps === undefined) return <Nothing said="no change known" />;
  const tone = bps > 0 ? "text-up" : bps < 0 ? "text-down" : "text-muted";
  return (
    <span className={classes("figures whitespace-nowrap", tone)}>
      <span aria-hidden="true">{bps > 0 ? "▲ " : bps < 0 ? "▼ " : ""}</span>
      {percentOfBps(bps)}
    </span>
  );
}

type Shape = "full" | "clock" | "day" | "relative";

/** A moment in the reader's zone; UTC when one points at it. */
export function Time({ at, shape = "full" }: { at: string | null | undefined; shape?: Shape }) {
  const now = useNow(shape === "relative");
  if (!at) return <Nothing />;
  const shown = { full: () => inZone(at), clock: () => clockTime(at), day: () => day(at), relative: () => relative(at, now) };
  const title = shape === "full" ? inUtc(at) : `${inZone(at)} · ${inUtc(at)}`;
  return (
    <time dateTime={at} title={title} className="figures">
      {shown[shape]()}
    </time>
  );
}

const EVERY_MS = 10_000;

export function useNow(moving = true, everyMs = EVERY_MS): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!moving) return undefined;
    const timer = setInterval(() => setNow(new Date()), everyMs);
    return () => clearInterval(timer);
  }, [moving, everyMs]);
  return now;
}

/** An address or a hash: cut for the eye, whole in the title and in the clipboard. */
export function Hex({ value, whole, children }: { value: string | null | undefined; whole?: boolean; children?: ReactNode }) {
  if (!value) return <Nothing />;
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <code className={classes("font-mono text-[13px] print:text-[11px]", whole && "break-all")} title={value}>
        {children ?? (whole ? value : shortHex(value))}
      </code>
      <CopyButton text={value} label={`Copy ${shortHex(value)}`} />
    </span>
  );
}
