/** What people may write as they like (attributes, regulatory facts, an audit row's details), as names and texts. */

export type Line = readonly [name: string, text: string];

export interface Difference {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

const DEEPEST = 4;

/** `{owner: {country: "PT"}, units: 24}` → `[["Owner · Country", "PT"], ["Units", "24"]]`. */
export function lines(value: unknown, name = "", depth = 0): Line[] {
  if (value === null || value === undefined || value === "") return [];
  if (typeof value !== "object") return [[name || "Value", String(value)]];
  if (depth >= DEEPEST) return [[name || "Value", JSON.stringify(value)]];
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) {
    return value.length > 0 ? [[name || "Value", value.join(", ")]] : [];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    lines(inner, name ? `${name} · ${fieldName(key)}` : fieldName(key), depth + 1),
  );
}

/** `totalSupply` → `Total supply`, `kyc_status` → `Kyc status`, `yield` → `Yield`. */
export function fieldName(key: string): string {
  const spaced = key
    .replaceAll("_", " ")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** What one says and the other does not, in the order of the first. */
export function differences(before: unknown, after: unknown): Difference[] {
  const old = new Map(lines(before));
  const now = new Map(lines(after));
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names
    .map((name) => ({ name, before: old.get(name) ?? null, after: now.get(name) ?? null }))
    .filter(({ before: was, after: is }) => was !== is);
}
