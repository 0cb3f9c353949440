/** What is asked about swaps: what one would give, one of mine until it is over, and all of mine. */

import { api, type Schemas } from "../../api/client.ts";
import { isVerdict, pauseAfter, type ApiProblem } from "../../api/problem.ts";
import { ask } from "../../api/queries.ts";
import { swapIsOver, type SwapSide } from "../../domain/swap.ts";

export type Swap = Schemas["SwapAnswer"];
export type Quote = Schemas["QuoteAnswer"];

const LIVE_MS = 2_000;
const SOON_MS = 1_000;

export interface Wish {
  readonly tradingPairId: string;
  readonly side: SwapSide;
  readonly amountIn: string;
  readonly toleranceBps: number;
}

/** What the book says to a wish: a quote, or why there is none. */
interface Said {
  readonly quote?: Quote;
  readonly refusal?: ApiProblem;
}

/** What the book would give for it just now. A refusal is an answer too: it stands until there is another one. */
export function quoteOf(wish: Wish) {
  return ask({
    queryKey: ["quote", wish],
    queryFn: ({ signal }): Promise<Said> =>
      api.post("/api/v1/swaps/quote", { body: wish, signal }).then(
        (quote) => ({ quote }),
        (error: unknown) => {
          if (isVerdict(error)) return { refusal: error };
          throw error;
        },
      ),
    refetchInterval: ({ state }) => pauseAfter(state.error, LIVE_MS),
    staleTime: 0,
    gcTime: 0,
  });
}

export function oneSwap(id: string) {
  return ask({
    queryKey: ["orders", "swap", id],
    queryFn: ({ signal }) => api.get("/api/v1/swaps/{id}", { path: { id }, signal }),
    refetchInterval: (query) => (query.state.data && swapIsOver(query.state.data) ? false : SOON_MS),
  });
}
