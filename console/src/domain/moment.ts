/** Moments as people read them: in their own zone, with UTC for whoever compares with a log. */

const LONG: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
};

export function inZone(iso: string, options: Intl.DateTimeFormatOptions = LONG): string {
  return new Intl.DateTimeFormat(undefined, options).format(new Date(iso));
}

export function clockTime(iso: string): string {
  return inZone(iso, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

export function day(iso: string): string {
  return inZone(iso, { year: "numeric", month: "short", day: "numeric" });
}

/** The day that it is in UTC at that moment, whatever day it is here. */
export function utcDay(iso: string): string {
  return inZone(iso, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
}

/** Where in its UTC day a moment lies: at the end, as the last days of records do, or at an hour of its own. */
export function utcHour(iso: string): string {
  const clock = new Date(iso).toISOString().slice(11, 19);
  return clock === "23:59:59" ? "end of day UTC" : `${clock.slice(0, 5)} UTC`;
}

export function inUtc(iso: string): string {
  return new Date(iso).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `3 minutes ago`, `in 2 days`. */
export function relative(iso: string, now: Date): string {
  const seconds = Math.round((new Date(iso).getTime() - now.getTime()) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}
