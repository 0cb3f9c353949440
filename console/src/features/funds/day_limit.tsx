import type { Schemas } from "../../api/client.ts";
import { add, compare } from "../../domain/decimal.ts";
import { Quantity } from "../../ui/index.ts";

type Limits = Schemas["OwnLimitsAnswer"];

export function overTheDay(amount: string | null, limits: Limits | undefined): string | null {
  if (!amount || !limits || compare(amount, limits.left) <= 0) return null;
  return `At most ${limits.left} more within 24 hours`;
}

/** How much may leave, before somebody is refused; and how many people this amount would wait for. */
export function DayLimit({ of, amount }: { of: Limits; amount: string | null }) {
  return (
    <p className="text-[13px] text-muted">
      Within 24 hours: <Quantity value={of.used} /> of <Quantity value={of.dailyLimit} unit={of.symbol} /> used,{" "}
      <Quantity value={of.left} /> left. {amount ? <strong className="text-text">{lookedAtBy(add(of.used, amount), of)}</strong> : null}
    </p>
  );
}

function lookedAtBy(day: string, { automaticUpTo, fourEyesAbove }: Limits): string {
  if (compare(day, fourEyesAbove) > 0) return "Two people look at this one first.";
  return compare(day, automaticUpTo) <= 0 ? "This one leaves by itself." : "Somebody looks at this one first.";
}
