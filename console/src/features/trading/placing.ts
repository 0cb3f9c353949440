/**
 * Placing an order once, whatever happens meanwhile. The signed body and its key are kept before they are sent: a page
 * that is loaded again in the middle, or a button that is pressed again after an answer was lost, sends the very same,
 * and the platform answers as it did the first time.
 */

import type { QueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ApiProblem, isVerdict } from "../../api/problem.ts";
import type { Pair } from "../../api/queries.ts";
import { grouped } from "../../domain/show.ts";
import type { Draft } from "../../domain/ticket.ts";
import { sentence } from "../../domain/words.ts";
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
    const order = await send(earlier, true);
    if (earlier.replaces === replaces && isSame(earlier.body, fields)) return order;
    throw cameFirst(order);
  }
  const signature = await signAction(client, "Order", fields);
  const { trader, ...rest } = fields;
  const body = { ...rest, userAddress: trader, signature };
  return send({ userId: session.userId, key: newKey(), body, ...(replaces ? { replaces } : {}) });
}

/** What was sent, and whose answer never came: for all one knows, it counts. */
export function unanswered(): Kept | null {
  const { standing, session } = sessions.get();
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
  return kept && standing === "signed-in" && kept.userId === session?.userId ? kept : null;
}

/** Whether the same is wished for. Each signature has a nonce of its own, and an end where none was typed. */
function isSame({ userAddress, ...before }: Body, fields: ReturnType<typeof orderFields>): boolean {
  const sent: Readonly<Record<string, unknown>> = { ...before, trader: userAddress };
  const expiry = fields.timeInForce === "GTD" ? fields.expiry : before.expiry;
  return Object.entries({ ...fields, expiry, nonce: before.nonce }).every(([name, value]) => sent[name] === value);
}

function cameFirst({ side, quantity, pair }: Order): ApiProblem {
  const what = `${sentence(side)} ${grouped(quantity)} of ${pair}`;
  return new ApiProblem(409, "earlier_order", "Your earlier order came first", `Its answer had been lost; it is placed: ${what}. Nothing else was signed.`, "");
}

async function send(kept: Kept, isAgain = false): Promise<Order> {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
  try {
    const order = await sent(kept);
    sessionStorage.removeItem(KEY);
    return order;
  } catch (error) {
    // Whoever got no answer does not know: it stays, and is sent again.
    const refused = error instanceof ApiProblem && error.status > 0 && error.status < 500;
    if (refused && (!isAgain || isVerdict(error))) sessionStorage.removeItem(KEY);
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
  const kept = unanswered();
  return kept ? send(kept, true) : null;
}
