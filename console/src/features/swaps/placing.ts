/** Having one token converted into another once: signed, kept, sent, and sent again where its answer was lost. */

import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { splitPair } from "../../domain/holdings.ts";
import { grouped } from "../../domain/show.ts";
import { sessions } from "../../state/session.ts";
import { serverSeconds } from "../trading/wire.ts";
import { cameFirst, sentOnce, type Kept } from "../wallet/once.ts";
import { useOnePress } from "../wallet/one_press.ts";
import { signAction } from "../wallet/signing.ts";
import type { Quote, Swap, Wish } from "./questions.ts";

interface KeptSwap extends Kept {
  readonly body: Schemas["SignedSwap"];
  readonly toleranceBps: number;
}

/** What is wished for, and the quote of which the least that is taken and the highest fee are signed. */
export interface Terms {
  readonly wish: Wish;
  readonly quote: Quote;
}

/** Time to read it in a wallet. Whatever the book does meanwhile, the least that was signed counts. */
export const LASTS_S = 300;

const swaps = sentOnce<KeptSwap, Swap>({
  storage: "deedbook.swapping",
  sent: ({ body, key }) => api.post("/api/v1/swaps", { body, key }),
  duplicate: "duplicate_action",
  first: (id) => api.get("/api/v1/swaps/{id}", { path: { id } }),
});

export const { unanswered } = swaps;

/**
 * Sign and send. While an earlier one has no answer, that one is sent again instead, and nothing is signed.
 *
 * @throws WalletProblem · ApiProblem
 */
async function placeSwap(client: QueryClient, { wish, quote }: Terms): Promise<Swap> {
  const { session } = sessions.get();
  if (!session) throw new Error("nobody is signed in");
  const earlier = unanswered();
  if (earlier) {
    const swap = await swaps.send(earlier, true);
    if (isSame(earlier, wish)) return swap;
    const [base, quote] = splitPair(swap.pair);
    const [from, to] = swap.side === "BUY" ? [quote, base] : [base, quote];
    throw cameFirst("swap", `${grouped(swap.amountIn)} ${from} for ${to}`);
  }
  const trader = session.account;
  const { toleranceBps, ...asked } = wish;
  const bounds = { minAmountOut: quote.suggestedMinAmountOut, maxFeeBps: quote.feeBps };
  const fields = { ...asked, ...bounds, nonce: newKey(), expiry: (await serverSeconds(client)) + LASTS_S };
  const signature = await signAction(client, "Swap", { trader, ...fields });
  return swaps.send({ userId: session.userId, key: newKey(), body: { ...fields, userAddress: trader, signature }, toleranceBps });
}

/** Whether the same is wished for: the quote, and with it what is signed as the least, moves from one moment to the next. */
function isSame({ body, toleranceBps }: KeptSwap, wish: Wish): boolean {
  const named = body.tradingPairId === wish.tradingPairId && body.side === wish.side;
  return named && body.amountIn === wish.amountIn && toleranceBps === wish.toleranceBps;
}

/** `onPlaced` hears of those too that a page which was left in the middle had begun. */
export function useSwapping(onPlaced: (swap: Swap) => void) {
  const client = useQueryClient();
  return useOnePress({ send: (terms: Terms) => placeSwap(client, terms), finish: swaps.finish, onSent: onPlaced });
}
