/**
 * Every page of the console, and who may open it. A page here has its line in `loaders.ts` too; the compiler asks for it.
 * Tests read this list: each page is visited at every size and in every theme, without another test being written.
 */

import type { Role } from "../api/queries.ts";

export type Group = "Exchange" | "Issuance" | "Compliance" | "Operations" | "Developers";

export interface PageEntry {
  /** With `$name` for what changes, as TanStack Router has it. */
  readonly path: string;
  readonly title: string;
  /** Everybody, whoever is signed in, or holders of one of these roles. */
  readonly access: "public" | "signed-in" | readonly Role[];
  /** Where it stands in the navigation; pages without a group are reached from others. */
  readonly group?: Group;
  /** What tests put in the place of `$name`: a market's id, a pair's symbol, a token's symbol, a mint's id, the visitor's own id. */
  readonly sample?: "market" | "pair" | "token" | "mint" | "user";
}

export const PAGES = [
  { path: "/markets", title: "Markets", access: "public", group: "Exchange" },
  { path: "/markets/$market", title: "Market", access: "public", sample: "market" },
  { path: "/trade", title: "Trade", access: "public", group: "Exchange" },
  { path: "/trade/$pair", title: "Trade", access: "public", sample: "pair" },
  { path: "/convert", title: "Convert", access: "public", group: "Exchange" },
  { path: "/approvals", title: "Approval desk", access: ["compliance", "admin"], group: "Compliance" },
  { path: "/approvals/$market", title: "Registration", access: ["compliance", "admin"], sample: "market" },
  { path: "/approvals/mints/$mint", title: "Mint", access: ["compliance", "admin"], sample: "mint" },
  { path: "/compliance", title: "Compliance", access: ["compliance"], group: "Compliance" },
  { path: "/compliance/$user", title: "Standing of a user", access: ["compliance", "admin"], sample: "user" },
  { path: "/token-rules", title: "Token rules", access: ["compliance", "admin"], group: "Compliance" },
  { path: "/audit", title: "Audit timeline", access: ["compliance", "operator", "admin"], group: "Compliance" },
  { path: "/operations", title: "Operations", access: ["operator", "admin"], group: "Operations" },
  { path: "/pair-modes", title: "Pair modes", access: ["compliance", "operator", "admin"], group: "Operations" },
  { path: "/custody", title: "Custody desk", access: ["operator", "compliance", "admin"], group: "Operations" },
  { path: "/developers", title: "API keys and webhooks", access: "signed-in", group: "Developers" },
  { path: "/portfolio", title: "Portfolio", access: "signed-in", group: "Exchange" },
  { path: "/portfolio/statement", title: "Statement", access: "signed-in" },
  { path: "/funds", title: "Deposit and withdraw", access: "signed-in", group: "Exchange" },
  { path: "/access", title: "What lets me in", access: "signed-in" },
  { path: "/notifications", title: "Notifications", access: "signed-in" },
  { path: "/issuer", title: "My markets", access: ["issuer"], group: "Issuance" },
  { path: "/issuer/new", title: "Issue an asset", access: ["issuer"], group: "Issuance" },
  { path: "/issuer/markets/$market", title: "A market of mine", access: ["issuer", "compliance", "admin"], sample: "market" },
  { path: "/sign-in", title: "Sign in", access: "public" },
] as const satisfies readonly PageEntry[];

export type PagePath = (typeof PAGES)[number]["path"];

/** The same, where the exact texts do not matter. */
export const ALL_PAGES: readonly PageEntry[] = PAGES;
