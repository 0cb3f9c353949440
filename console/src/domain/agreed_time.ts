/** The time within which the approval desk answers, as it was agreed. Pure. */

/** When an answer is due to what has waited since a moment. */
export function dueAt(since: string, withinS: number): string {
  return new Date(new Date(since).getTime() + withinS * 1000).toISOString();
}

/** Whether it is past that. An answer in the very moment is in time. */
export function isLate(since: string, withinS: number, now: Date): boolean {
  return now.getTime() > new Date(dueAt(since, withinS)).getTime();
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** An agreed time in the largest unit of which it is a whole number. */
export function inWords(seconds: number): string {
  const [length, unit] = UNITS.find(([size]) => seconds % size === 0) ?? [1, "second"];
  const count = seconds / length;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
