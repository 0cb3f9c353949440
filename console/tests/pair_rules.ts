import type { PairRules } from "../src/domain/ticket.ts";

/** The rules of the pair that tests trade. */
export const RULES: PairRules = {
  tickSize: "0.01",
  lotSize: "0.0001",
  feeBps: 25,
  feeMode: "received",
  minQuantity: "0.0001",
  maxQuantity: "1000000000",
  minNotional: "1",
  protectionBps: 500,
  baseDecimals: 18,
  quoteDecimals: 6,
};
