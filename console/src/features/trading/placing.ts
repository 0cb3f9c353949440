/** Placing an order once, whatever happens meanwhile: signed, kept, sent, and sent again where its answer was lost. */

import type { QueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import type { Pair } from "../../api/queries.ts";
import { grouped } from "../../domain/show.ts";
import type { Draft } from "../../domain/ticket.ts";
import { sentence } from "../../domain/words.ts";
import { sessions } from "../../state/session.ts";
import { cameFirst, sentOnce, type Kept } from "../wallet/once.ts";
import { signAction } from "../wallet/signing.ts";
import type { Order } from "./pairs.ts";
import { orderFields, serverSeconds } from "./wire.ts";

type Body = Schemas["PlaceOrder"];

interface KeptOrder extends Kept {
  readonly body: Body;
  readonly replaces?: string;
}

const orders = sentOnce<KeptOrder, Order>({
  storage: "deedbook.placing",
  sent: ({ body, key, replaces }) =>
    replaces
      ? api.post("/api/v1/trading/orders/{id}/replace", { path: { id: replaces }, body, key })
      : api.post("/api/v1/trading/orders", { body, key }),
  duplicate: "duplicate_order",
  first: (id) => api.get("/api/v1/trading/orders/{id}", { path: { id } }),
});

export const { unanswered, finish: finishPlacing } = orders;

/**
 * Sign and send; with `replaces`, the order of that id is asked to end for it. While an earlier one has no answer, that
 * one is sent again instead, and nothing is signed.
 *
 * @throws WalletProblem · ApiProblem
 */
export async function placeOrder(client: QueryClient, draft: Draft, pair: Pair, replaces?: string): Promise<Order> {
  const { session } = sessions.get();
  if (!session) throw new Error("nobody is signed in");
  const serverS = await serverSeconds(client);
  const fields = orderFields(draft, pair, session.account, serverS, newKey());
  const earlier = unanswered();
  if (earlier) {
    const order = await orders.send(earlier, true);
    if (earlier.replaces === replaces && isSame(earlier.body, fields)) return order;
    throw cameFirst("order", `${sentence(order.side)} ${grouped(order.quantity)} of ${order.pair}`);
  }
  const signature = await signAction(client, "Order", fields);
  const { trader, ...rest } = fields;
  const body = { ...rest, userAddress: trader, signature };
  return orders.send({ userId: session.userId, key: newKey(), body, ...(replaces ? { replaces } : {}) });
}

/** Whether the same is wished for. Each signature has a nonce of its own, and an end where none was typed. */
function isSame({ userAddress, ...before }: Body, fields: ReturnType<typeof orderFields>): boolean {
  const sent: Readonly<Record<string, unknown>> = { ...before, trader: userAddress };
  const expiry = fields.timeInForce === "GTD" ? fields.expiry : before.expiry;
  return Object.entries({ ...fields, expiry, nonce: before.nonce }).every(([name, value]) => sent[name] === value);
}
