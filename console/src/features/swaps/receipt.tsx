import type { Pair } from "../../api/queries.ts";
import { compare } from "../../domain/decimal.ts";
import { percentOfBps } from "../../domain/show.ts";
import { Facts, Nothing, Notice, Quantity } from "../../ui/index.ts";
import { LASTS_S } from "./placing.ts";
import type { Quote } from "./questions.ts";

interface Props {
  readonly from: string;
  readonly to: string;
  readonly pair: Pair;
  /** What the book says to just what stands in the form; none while it is asked. */
  readonly quote: Quote | undefined;
}

function slippage({ slippageBps }: Quote): string {
  return slippageBps === 0 ? "none: all of it at the best price" : `${percentOfBps(slippageBps).replace("+", "")} worse than the best price`;
}

/** More than this is worth a word of its own. */
const STEEP_BPS = 300;

/** What one signs, and what the book would make of it at this moment. */
export function SwapReceipt({ from, to, pair, quote }: Props) {
  const amount = (value: string | undefined, unit: string, places = 6) => (value ? <Quantity value={value} unit={unit} places={places} /> : <Nothing />);
  const feeIn = quote?.feeTokenId === quote?.tokenInId ? from : to;
  return (
    <>
      <div className="rounded-md bg-raised p-2.5 text-[13px]" data-testid="receipt">
        <Facts
          facts={[
            ["You give at most", amount(quote?.amountIn, from, 18)],
            ["You get at least", amount(quote?.suggestedMinAmountOut, to, 18)],
            ["You get by the book of now", amount(quote?.amountOut, to)],
            ["Price", amount(quote?.averagePrice, pair.quote.symbol)],
            ["Slippage", quote ? slippage(quote) : <Nothing />],
            ["Fee", quote ? <>{amount(quote.fee, feeIn)} ({percentOfBps(quote.feeBps).replace("+", "")})</> : <Nothing />],
            ["Set aside", amount(quote?.amountIn, from)],
            ["Terms", `for at least that, or not at all · the signature counts for ${LASTS_S / 60} minutes`],
          ]}
        />
      </div>
      {quote && compare(quote.amountUsed, quote.amountIn) < 0 ? (
        <p className="text-[13px] text-muted" data-testid="rest">
          The book takes <Quantity value={quote.amountUsed} unit={from} />. The rest stays yours.
        </p>
      ) : null}
      {quote && quote.slippageBps >= STEEP_BPS ? (
        <Notice tone="warn" title="The book is shallow for so much">
          The last part of it would cost <Quantity value={quote.worstPrice} unit={pair.quote.symbol} />, the best price is{" "}
          <Quantity value={quote.bestPrice} unit={pair.quote.symbol} />. Less at a time, or an order with a price of your own, may cost less.
        </Notice>
      ) : null}
    </>
  );
}
