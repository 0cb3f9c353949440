/** What each page of the registry shows. Loaded when it is first opened. */

import type { ComponentType } from "react";
import type { PagePath } from "./registry.ts";

export type Loader = () => Promise<{ default: ComponentType }>;

export const LOADERS: Readonly<Record<PagePath, Loader>> = {
  "/markets": () => import("./markets.tsx"),
  "/markets/$market": () => import("./market.tsx"),
  "/trade": () => import("./trade_start.tsx"),
  "/trade/$pair": () => import("./trade.tsx"),
  "/convert": () => import("./convert.tsx"),
  "/approvals": () => import("./approvals.tsx"),
  "/approvals/$market": () => import("./approval.tsx"),
  "/approvals/mints/$mint": () => import("./mint.tsx"),
  "/compliance": () => import("./compliance.tsx"),
  "/compliance/$user": () => import("./compliance_user.tsx"),
  "/token-rules": () => import("./token_rules.tsx"),
  "/audit": () => import("./audit.tsx"),
  "/operations": () => import("./operations.tsx"),
  "/pair-modes": () => import("./pair_modes.tsx"),
  "/custody": () => import("./custody.tsx"),
  "/developers": () => import("./developers.tsx"),
  "/portfolio": () => import("./portfolio.tsx"),
  "/portfolio/statement": () => import("./statement.tsx"),
  "/funds": () => import("./funds.tsx"),
  "/access": () => import("./access.tsx"),
  "/notifications": () => import("./notifications.tsx"),
  "/issuer": () => import("./my_markets.tsx"),
  "/issuer/new": () => import("./issue.tsx"),
  "/issuer/markets/$market": () => import("./issuer_market.tsx"),
  "/sign-in": () => import("./sign_in.tsx"),
};
