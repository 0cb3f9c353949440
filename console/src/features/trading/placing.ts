/**
 * Placing an order once, whatever happens meanwhile. The signed body and its key are kept before they are sent: a page
 * that is loaded again in the middle sends the very same, and the platform answers as it did the first time.
 */

import type { QueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { Pair } from "../../api/queries.ts";
import type { Draft } from "../../domain/ticket.ts";
import { sessions } from "../../state/session.ts";
import { signAction } from "../wallet/signing.ts";
import type { Order } from "./pairs.ts";
import { orderFields, serverSeconds } from "./wire.ts";

type Body = Schemas["PlaceOrder"];

interface Kept {
  readonly userId: string;
  readonly key: string;
  readonly body: Body;
  readonly replaces?: string;
}

const KEY = "deedbook.placing";

/** Sign and send; with `replaces`, the order of that id is asked to end for it. @throws WalletProblem · ApiProblem */
export async function placeOrder(client: QueryClient, draft: Draft, pair: Pair, replaces?: string): Promise<Order> {
  const { session } = sessions.get();
  if (!session) throw new Error("nobody is signed in");
  const serverS = await serverSeconds(client);
  const fields = orderFields(draft, pair, session.account, serverS, newKey());
  const signature = await signAction(client, "Order", fields);
  const { trader, ...rest } = fields;
  const body = { ...rest, userAddress: trader, signature };
  return send({ userId: session.userId, key: newKey(), body, ...(replaces ? { replaces } : {}) });
}

async function send(kept: Kept): Promise<Order> {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
  try {
    const order = await sent(kept);
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

function sent({ body, key, replaces }: Kept): Promise<Order> {
  if (!replaces) return api.post("/api/v1/trading/orders", { body, key });
  return api.post("/api/v1/trading/orders/{id}/replace", { path: { id: replaces }, body, key });
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
