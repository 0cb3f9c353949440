/**
 * Placing an order once, whatever happens meanwhile. The signed body and its key are kept before they are sent: a page
 * that is loaded again in the middle sends the very same, and the platform answers as it did the first time.
 */

import type { QueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { exchangeInfo, type Pair } from "../../api/queries.ts";
import { readAmount } from "../../domain/decimal.ts";
import { takesPrice, takesStop, type Draft } from "../../domain/ticket.ts";
import { sessions } from "../../state/session.ts";
import { signAction } from "../wallet/signing.ts";
import type { Order } from "./pairs.ts";

type Body = Schemas["PlaceOrder"];

interface Kept {
  readonly userId: string;
  readonly key: string;
  readonly body: Body;
}

const KEY = "deedbook.placing";
const GOOD_FOR_S = 30 * 86_400;
/** An order that does not rest need not be good for long. */
const AT_ONCE_S = 600;

/** The fields that are signed: just what the ticket shows. */
export function orderFields(draft: Draft, pair: Pair, trader: string, nowS: number, nonce: string) {
  const atOnce = draft.orderType === "MARKET" || draft.timeInForce !== "GTC";
  return {
    trader,
    tradingPairId: pair.symbol,
    side: draft.side,
    orderType: draft.orderType,
    timeInForce: draft.timeInForce,
    postOnly: draft.orderType === "LIMIT" && draft.timeInForce === "GTC" && draft.postOnly,
    selfTrade: "EXPIRE_TAKER",
    quantity: readAmount(draft.quantity) ?? "",
    price: takesPrice(draft) ? (readAmount(draft.price) ?? "") : "",
    stopPrice: takesStop(draft) ? (readAmount(draft.stopPrice) ?? "") : "",
    maxFeeBps: pair.feeBps,
    clientOrderId: "",
    nonce,
    expiry: nowS + (atOnce ? AT_ONCE_S : GOOD_FOR_S),
  } as const;
}

/** Sign and send. @throws WalletProblem · ApiProblem */
export async function placeOrder(client: QueryClient, draft: Draft, pair: Pair): Promise<Order> {
  const { session } = sessions.get();
  if (!session) throw new Error("nobody is signed in");
  const serverS = await serverSeconds(client);
  const fields = orderFields(draft, pair, session.account, serverS, newKey());
  const signature = await signAction(client, "Order", fields);
  const { trader, ...rest } = fields;
  return send({ userId: session.userId, key: newKey(), body: { ...rest, userAddress: trader, signature } });
}

/** The platform's clock: a reader's own may be wrong by hours. */
async function serverSeconds(client: QueryClient): Promise<number> {
  const asked = Date.now();
  const info = await client.fetchQuery({ ...exchangeInfo, staleTime: 0 });
  const aheadMs = new Date(info.serverTime).getTime() - asked;
  return Math.floor((Date.now() + aheadMs) / 1000);
}

async function send(kept: Kept): Promise<Order> {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
  try {
    const order = await api.post("/api/v1/trading/orders", { body: kept.body, key: kept.key });
    sessionStorage.removeItem(KEY);
    return order;
  } catch (error) {
    // Whoever got no answer does not know: it stays, and is sent again.
    const refused = error instanceof ApiProblem && error.status > 0 && error.status < 500;
    if (refused) sessionStorage.removeItem(KEY);
    if (refused && error.code === "duplicate_order") return first(error);
    throw error;
  }
}

async function first(duplicate: ApiProblem): Promise<Order> {
  const id = String(duplicate.more["firstId"]);
  return api.get("/api/v1/trading/orders/{id}", { path: { id } });
}

/** Finish what a page that was left in the middle had begun; `null` where there is nothing of the kind. */
export async function finishPlacing(): Promise<Order | null> {
  const { standing, session } = sessions.get();
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
  if (!kept || standing !== "signed-in" || kept.userId !== session?.userId) return null;
  return send(kept);
}
