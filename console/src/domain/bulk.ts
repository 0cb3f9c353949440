/** Records of many users from a table that was pasted: one line a user and token, read strictly, before anything is sent. */

import { readCount } from "./count.ts";

export const HEADER = "user,token,kyc,level,whitelisted,country,ends";
export const MOST_LINES = 200;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const STATUSES = ["PENDING", "APPROVED", "REJECTED", "EXPIRED"] as const;
const YES: Readonly<Record<string, boolean>> = { yes: true, no: false };

export interface Wanted {
  readonly kycStatus: (typeof STATUSES)[number];
  readonly kycLevel: number;
  readonly whitelisted: boolean;
  readonly jurisdiction: string | null;
  readonly expiresAt: string | null;
}

export interface BulkLine {
  /** As a person counts them. */
  readonly number: number;
  readonly userId: string;
  readonly symbol: string;
  readonly wanted: Wanted;
}

export interface Bulk {
  readonly lines: readonly BulkLine[];
  readonly problems: readonly string[];
}

/** Reads it all, or says of each line that cannot be read why not. The first line is the header. */
export function readBulk(text: string, symbols: ReadonlySet<string>): Bulk {
  const [header = "", ...rest] = text.trim().split(/\r?\n/);
  if (header.replaceAll(" ", "") !== HEADER) return { lines: [], problems: [`The first line has to be ${HEADER}`] };
  if (rest.length > MOST_LINES) return { lines: [], problems: [`At most ${MOST_LINES} lines at once.`] };
  const lines: BulkLine[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  rest.forEach((entry, place) => {
    const number = place + 2;
    const cells = entry.split(",").map((cell) => cell.trim());
    const problem = problemOf(cells, symbols, seen);
    if (problem) problems.push(`Line ${number}: ${problem}`);
    else lines.push(lineOf(number, cells));
  });
  return { lines, problems };
}

function problemOf(cells: readonly string[], symbols: ReadonlySet<string>, seen: Set<string>): string | null {
  const [user = "", symbol = "", status = "", level = "", whitelisted = "", country = "", ends = ""] = cells;
  if (cells.length !== HEADER.split(",").length) return "it has not as many cells as the first.";
  if (!ID.test(user)) return "the user is no id.";
  if (!symbols.has(symbol)) return `${symbol || "the token"} is no issued token.`;
  if (!STATUSES.some((known) => known === status)) return `KYC is one of ${STATUSES.join(", ")}.`;
  if (!/^[0-9]$/.test(level)) return "the level is a digit.";
  if (!(whitelisted in YES)) return "whitelisted is yes or no.";
  if (country !== "" && !/^[A-Z]{2}$/.test(country)) return "the country is two capital letters.";
  if (ends !== "" && !isDay(ends)) return "the end is a day such as 2027-01-31.";
  const name = `${user} ${symbol}`;
  if (seen.has(name)) return "this user and token stand in an earlier line.";
  seen.add(name);
  return null;
}

function isDay(text: string): boolean {
  if (!/^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function lineOf(number: number, cells: readonly string[]): BulkLine {
  const [userId = "", symbol = "", status = "", level = "", whitelisted = "", country = "", ends = ""] = cells;
  return {
    number,
    userId,
    symbol,
    wanted: {
      kycStatus: status as Wanted["kycStatus"],
      kycLevel: readCount(level) ?? 0,
      whitelisted: YES[whitelisted] ?? false,
      jurisdiction: country || null,
      expiresAt: ends ? `${ends}T23:59:59.000000Z` : null,
    },
  };
}
