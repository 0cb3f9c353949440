/** What an order asks for besides its price and size, in the words of the ticket. Pure. */

import type { Decimal } from "./decimal.ts";
import { inZone } from "./moment.ts";
import { readTrail } from "./order_terms.ts";
import { grouped } from "./show.ts";

/** An order as it is signed, or as the API has it. */
export interface Terms {
  readonly orderType: string;
  readonly timeInForce: string;
  readonly postOnly: boolean;
  readonly selfTrade: string;
  readonly stopPrice: string | null;
  readonly expiry: number;
}

export const FORCE_NAMES: Readonly<Record<string, string>> = {
  GTC: "30 days",
  GTD: "Until a moment of yours",
  IOC: "At once, what is there",
  FOK: "At once, all or nothing",
};

export const SELF_TRADE_NAMES: Readonly<Record<string, string>> = {
  EXPIRE_TAKER: "This one ends",
  EXPIRE_MAKER: "The older one ends",
  EXPIRE_BOTH: "Both end",
  DECREMENT: "Both lose what is common to them",
};

const WHEN: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };

export function triggerWords(stopPrice: string, tickSize: Decimal): string {
  const trail = readTrail(stopPrice, tickSize);
  if (trail === null) return `triggered at ${grouped(stopPrice)}`;
  return trail.trigger === "percent" ? `trigger follows at ${trail.distance}%` : `trigger follows at ${grouped(trail.distance)}`;
}

export function termsInWords(terms: Terms, tickSize: Decimal): string {
  const said: string[] = [];
  if (terms.stopPrice) said.push(triggerWords(terms.stopPrice, tickSize));
  if (terms.postOnly) said.push("only rests");
  const atOnce = terms.timeInForce === "IOC" || terms.timeInForce === "FOK" ? FORCE_NAMES[terms.timeInForce] : undefined;
  if (atOnce) said.push(atOnce.toLowerCase());
  if (!atOnce || terms.stopPrice) said.push(`until ${inZone(new Date(terms.expiry * 1000).toISOString(), WHEN)}`);
  const met = terms.selfTrade === "EXPIRE_TAKER" ? undefined : SELF_TRADE_NAMES[terms.selfTrade];
  if (met) said.push(`if it meets your own: ${met.toLowerCase()}`);
  return said.join(" · ");
}
