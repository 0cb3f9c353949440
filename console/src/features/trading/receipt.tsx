import type { Pair } from "../../api/queries.ts";
import { isPositive, readAmount } from "../../domain/decimal.ts";
import { takesPrice } from "../../domain/order_terms.ts";
import { termsInWords } from "../../domain/order_words.ts";
import { receiptOf, type Draft, type PairRules } from "../../domain/ticket.ts";
import { Facts, Nothing, Quantity, useNow } from "../../ui/index.ts";
import type { Preview } from "./blocked.ts";
import { termsOf } from "./wire.ts";

interface Props {
  readonly draft: Draft;
  readonly pair: Pair;
  readonly rules: PairRules;
  readonly worst: string | null;
  /** What the platform says to it; its word on what is set aside counts. */
  readonly preview: Preview | undefined;
}

/** What one signs, in money: given at most, received at least, the fee, what is set aside, the worst price. */
export function ReceiptView({ draft, pair, rules, worst, preview }: Props) {
  const nowS = Math.floor(useNow().getTime() / 1000);
  const quantity = readAmount(draft.quantity);
  const receipt = quantity && isPositive(quantity) && worst ? receiptOf(draft.side, quantity, worst, rules) : null;
  const [given, taken] = draft.side === "BUY" ? [pair.quote.symbol, pair.base.symbol] : [pair.base.symbol, pair.quote.symbol];
  const amount = (value: string | undefined, unit: string) => (value ? <Quantity value={value} unit={unit} places={6} /> : <Nothing />);
  return (
    <div className="rounded-md bg-raised p-2.5 text-[13px]" data-testid="receipt">
      <Facts
        facts={[
          ["You pay at most", amount(receipt?.pay, given)],
          ["You get at least", amount(receipt?.get, taken)],
          ["Fee at most", amount(receipt?.fee, receipt?.feeInQuote ? pair.quote.symbol : pair.base.symbol)],
          ["Set aside", amount(receipt ? (preview?.hold ?? receipt.locked) : undefined, given)],
          [takesPrice(draft) || draft.worstPrice ? "Worst price" : "Worst price, protected", amount(receipt?.worstPrice, pair.quote.symbol)],
          ["Terms", receipt ? termsInWords(termsOf(draft, pair, nowS), pair.tickSize) : <Nothing />],
        ]}
      />
    </div>
  );
}
