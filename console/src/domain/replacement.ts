/** An open order that is to become another: what of it was changed, and whether that needs a signature. Pure. */

import { add, compare, readAmount } from "./decimal.ts";
import { inForce, onlyRests, readTrail, stopText, untilText } from "./order_terms.ts";
import { EMPTY_DRAFT, type Draft, type OrderSide, type OrderType, type SelfTrade, type TimeInForce } from "./ticket.ts";

/** What of an open order is looked at. */
export interface OpenOrder {
  readonly side: string;
  readonly orderType: string;
  readonly price: string | null;
  readonly stopPrice: string | null;
  readonly remainingQuantity: string;
  readonly timeInForce: string;
  readonly postOnly: boolean;
  readonly selfTrade: string;
  readonly expiry: number;
  readonly triggered: boolean;
}

/** A stop that was triggered rests as what it has become. */
function kindOf({ orderType, triggered }: OpenOrder): OrderType {
  return orderType === "STOP_LIMIT" && triggered ? "LIMIT" : (orderType as OrderType);
}

/** What remains of an order, as it would be typed. */
export function draftOfOrder(order: OpenOrder, tickSize: string): Draft {
  const orderType = kindOf(order);
  const stopPrice = orderType === order.orderType ? (order.stopPrice ?? "") : "";
  const trail = readTrail(stopPrice, tickSize);
  const priced = orderType === "LIMIT" || orderType === "STOP_LIMIT";
  return {
    ...EMPTY_DRAFT,
    side: order.side as OrderSide,
    orderType,
    price: priced ? (order.price ?? "") : "",
    worstPrice: priced ? "" : (order.price ?? ""),
    trigger: trail?.trigger ?? "price",
    stopPrice: trail ? "" : stopPrice,
    distance: trail?.distance ?? "",
    quantity: order.remainingQuantity,
    timeInForce: order.timeInForce as TimeInForce,
    until: untilText(order.expiry),
    postOnly: order.postOnly,
    selfTrade: order.selfTrade as SelfTrade,
  };
}

/** `same`: nothing was changed. `less`: only less of it shall remain, which keeps its place and needs no signature. */
export type Change = "same" | "less" | "other";

export function changeOf(before: Draft, after: Draft, tickSize: string): Change {
  if (signed(before, tickSize) !== signed(after, tickSize)) return "other";
  const [was, is] = [readAmount(before.quantity) ?? "0", readAmount(after.quantity) ?? "0"];
  const order = compare(is, was);
  return order === 0 ? "same" : order < 0 ? "less" : "other";
}

/** All that is signed but the quantity, in one text. */
function signed(draft: Draft, tickSize: string): string {
  const force = inForce(draft);
  return JSON.stringify([
    plain(draft.price),
    plain(draft.worstPrice),
    plain(stopText(draft, tickSize)),
    force,
    force === "GTD" ? draft.until : "",
    onlyRests(draft),
    draft.selfTrade,
  ]);
}

/** `990.00` and `990` are one price. */
function plain(typed: string): string {
  const amount = readAmount(typed);
  return amount === null ? typed : add(amount, "0");
}
