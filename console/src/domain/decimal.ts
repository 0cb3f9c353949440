/**
 * Decimal text, exactly as the API speaks it: `1000.25`, never a JavaScript number. Arithmetic is on BigInt, each
 * division names its rounding. Amounts have at most 18 places; a product may have more and keeps them all.
 */

export type Decimal = string;
export type Rounding = "down" | "up";

interface Scaled {
  readonly units: bigint;
  readonly places: number;
}

const GRAMMAR = /^(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?$/;
/** Thousands apart by one sign, such as `1,000,000`. */
const APART = /^[1-9][0-9]{0,2}([\s,_'])[0-9]{3}(?:\1[0-9]{3})*$/;
const SIGNED = /^-?[0-9]+(\.[0-9]+)?$/;

/** Whether the API would take this text as an amount. */
export function isAmount(text: string): boolean {
  return GRAMMAR.test(text);
}

/**
 * What a person typed, made plain: `1,000.50 ` → `1000.50`, `.5` → `0.5`. `null` where it is no amount: whoever writes
 * `0,5` for a half must not have five of it.
 */
export function readAmount(typed: string): Decimal | null {
  const [given = "", ...rest] = typed.trim().split(".");
  if (rest.length > 1) return null;
  const whole = APART.test(given) ? given.replace(/[\s,_']/g, "") : given;
  const fraction = rest[0] ?? "";
  const text = (whole.replace(/^0+(?=[0-9])/, "") || (fraction ? "0" : "")) + (fraction ? `.${fraction}` : "");
  return isAmount(text) ? text : null;
}

function scaled(text: Decimal): Scaled {
  if (!SIGNED.test(text)) throw new RangeError(`${text} is no decimal`);
  const [whole = "0", fraction = ""] = text.split(".");
  return { units: BigInt(whole + fraction), places: fraction.length };
}

function written({ units, places }: Scaled): Decimal {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const fraction = places > 0 ? digits.slice(-places).replace(/0+$/, "") : "";
  const text = fraction ? `${whole}.${fraction}` : whole;
  return text === "0" ? "0" : sign + text;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const [x, y] = [scaled(a), scaled(b)];
  const places = x.places > y.places ? x.places : y.places;
  return [x.units * power(places - x.places), y.units * power(places - y.places), places];
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function divided(numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n) return quotient;
  const negative = numerator < 0n !== denominator < 0n;
  if (rounding === "up") return negative ? quotient : quotient + 1n;
  return negative ? quotient - 1n : quotient;
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, places] = aligned(a, b);
  return written({ units: x + y, places });
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  const [x, y, places] = aligned(a, b);
  return written({ units: x - y, places });
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  const [x, y] = [scaled(a), scaled(b)];
  return written({ units: x.units * y.units, places: x.places + y.places });
}

/** `a ÷ b` to so many places; `down` is towards minus infinity. */
export function divide(a: Decimal, b: Decimal, places: number, rounding: Rounding): Decimal {
  const [x, y] = aligned(a, b);
  if (y === 0n) throw new RangeError("division by zero");
  return written({ units: divided(x * power(places), y, rounding), places });
}

/** Negative, zero or positive, as for sorting. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function isZero(text: Decimal): boolean {
  return scaled(text).units === 0n;
}

export function isPositive(text: Decimal): boolean {
  return scaled(text).units > 0n;
}

export function smaller(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? a : b;
}

export function larger(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) >= 0 ? a : b;
}

/** To a whole number of steps, such as a tick or a lot. */
export function toStep(text: Decimal, step: Decimal, rounding: Rounding): Decimal {
  const [x, y, places] = aligned(text, step);
  if (y <= 0n) throw new RangeError("a step is positive");
  return written({ units: divided(x, y, rounding) * y, places });
}

export function isWholeSteps(text: Decimal, step: Decimal): boolean {
  const [x, y] = aligned(text, step);
  return y > 0n && x % y === 0n;
}

/** Cut or rounded to so many places. */
export function toPlaces(text: Decimal, places: number, rounding: Rounding = "down"): Decimal {
  const { units, places: had } = scaled(text);
  if (had <= places) return written({ units, places: had });
  return written({ units: divided(units, power(had - places), rounding), places });
}

/** How many places a step such as `0.01` has. */
export function placesOf(step: Decimal): number {
  return (written(scaled(step)).split(".")[1] ?? "").length;
}

/** Base units of a token, as its contract counts them. `null` where the text is finer than the token. */
export function toUnits(text: Decimal, decimals: number): bigint | null {
  const { units, places } = scaled(written(scaled(text)));
  return places > decimals ? null : units * power(decimals - places);
}

export function fromUnits(units: bigint, decimals: number): Decimal {
  return written({ units, places: decimals });
}

/** So many of ten thousand parts, rounded up as fees are. */
export function partsPerTenThousand(text: Decimal, bps: number, places: number): Decimal {
  return divide(multiply(text, BigInt(bps).toString()), "10000", places, "up");
}

/** How much of `whole` the `part` is, in thousandths: for bars, where nothing but a width depends on it. */
export function thousandths(part: Decimal, whole: Decimal): number {
  const [x, y] = aligned(part, whole);
  if (y <= 0n) return 0;
  const share = (x * 1000n) / y;
  return share > 1000n ? 1000 : share < 0n ? 0 : Number(share);
}
