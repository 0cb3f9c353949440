/** Whether I can trade something, and what of it stands in the way, in the order in which one would mend it. Pure. */

import { compare, isPositive, type Decimal } from "./decimal.ts";
import { checkText, reasonText } from "./reasons.ts";
import { sentence } from "./words.ts";

/** What one can do about it. */
export type Remedy = "verify" | "deposit";

export interface Condition {
  readonly what: string;
  readonly met: boolean;
  /** What it means that it is not met. */
  readonly why?: string;
  readonly remedy?: Remedy;
}

/** What compliance would say: `reason` is its first number against it, 0 for none. */
export interface Judged {
  readonly allowed: boolean;
  readonly reason: number;
  readonly checks: readonly { readonly check: string; readonly reason: number }[];
}

export interface Known {
  readonly marketStatus: string;
  readonly pairStatus: string | null;
  readonly buy: Judged | undefined;
  readonly sell: Judged | undefined;
  /** What I could pay with. */
  readonly money: { readonly symbol: string; readonly available: Decimal; readonly least: Decimal } | undefined;
  readonly holding: Decimal;
}

const MARKET_WHY: Readonly<Record<string, string>> = {
  draft: "Its issuer is still at it.",
  pending_approval: "Compliance has not decided on it yet.",
  approved: "It is approved; its token is about to be deployed.",
  activating: "Its token is on its way to the chain.",
  paused: "It is paused: orders that rest stay, cancels work, new orders wait.",
  rejected: "Compliance has rejected it: it will not be traded.",
  archived: "It has ended: nothing of it is traded any more.",
};

const PAIR_WHY: Readonly<Record<string, string>> = {
  paused: "The pair takes no orders now; cancels work.",
  closed: "The pair has ended.",
};

/** The market's own conditions, which are the same for everybody. */
export function marketConditions({ marketStatus, pairStatus }: Pick<Known, "marketStatus" | "pairStatus">): Condition[] {
  const live = marketStatus === "active";
  const open = pairStatus === "active";
  return [
    { what: "The market is live", met: live, ...(live ? {} : { why: MARKET_WHY[marketStatus] ?? sentence(marketStatus) }) },
    { what: "Its pair takes orders", met: open, ...(open ? {} : { why: PAIR_WHY[pairStatus ?? ""] ?? "There is no pair yet: it opens with the market." }) },
  ];
}

/** Reasons that a check of one's identity may take away. */
const VERIFIABLE = [10, 11, 13, 14];

function complianceConditions(buy: Judged): Condition[] {
  return buy.checks
    .filter(({ check }) => check === "pause" || check.startsWith("receiver."))
    .map(({ check, reason }) => ({
      what: checkText(check),
      met: reason === 0,
      ...(reason === 0 ? {} : { why: reasonText(reason) }),
      ...(VERIFIABLE.includes(reason) ? { remedy: "verify" as const } : {}),
    }));
}

function moneyCondition(money: NonNullable<Known["money"]>): Condition {
  const enough = isPositive(money.available) && compare(money.available, money.least) >= 0;
  const what = `${money.symbol} to buy with`;
  if (enough) return { what, met: true };
  const why = isPositive(money.least) ? `An order is worth at least ${money.least} ${money.symbol}.` : "You have none in the vault.";
  return { what, met: false, why: `${why} Deposit some first.`, remedy: "deposit" };
}

function sellCondition(sell: Judged): Condition {
  return { what: "What you hold may be sold", met: sell.allowed, ...(sell.allowed ? {} : { why: reasonText(sell.reason) }) };
}

export interface Verdict {
  readonly mayBuy: boolean;
  readonly maySell: boolean;
  readonly conditions: readonly Condition[];
}

/** All of it, for somebody who is signed in. What is not known yet is left out, and nothing is promised meanwhile. */
export function judgeFor(known: Known): Verdict {
  const market = marketConditions(known);
  const mine = known.buy ? complianceConditions(known.buy) : [];
  const money = known.money ? [moneyCondition(known.money)] : [];
  const holds = isPositive(known.holding);
  const selling = holds && known.sell ? [sellCondition(known.sell)] : [];
  const open = market.every(({ met }) => met);
  return {
    mayBuy: open && known.buy?.allowed === true && money.length > 0 && money.every(({ met }) => met),
    maySell: open && holds && known.sell?.allowed === true,
    conditions: [...market, ...mine, ...money, ...selling],
  };
}

/** The first thing that one reads. */
export function verdictWords({ mayBuy, maySell }: Verdict, symbol: string): string {
  if (mayBuy) return maySell ? `You may buy and sell ${symbol}` : `You may buy ${symbol}`;
  return maySell ? `You may sell ${symbol}, and not buy it now` : `You cannot trade ${symbol} now`;
}
