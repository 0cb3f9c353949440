import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { balancesOf, type Pair } from "../../api/queries.ts";
import { isPositive, readAmount, thousandths } from "../../domain/decimal.ts";
import { short } from "../../domain/show.ts";
import { asShown, mostOf, partOf, wrongWith, type Draft, type OrderType, type PairRules } from "../../domain/ticket.ts";
import { sentence } from "../../domain/words.ts";
import { useSession } from "../../state/session.ts";
import { tell } from "../../state/toasts.ts";
import { Button, classes, CopyAs, ErrorState, Field, Quantity, Select, useNow } from "../../ui/index.ts";
import { useBlocked, usePreview, type Blocked } from "./blocked.ts";
import { useDraft } from "./draft.ts";
import { ForceFields, MoreFields, PriceFields, type PartProps } from "./fields.tsx";
import { rulesOf } from "./pairs.ts";
import { NoAnswer } from "./no_answer.tsx";
import { finishPlacing, placeOrder, unanswered } from "./placing.ts";
import { ReceiptView } from "./receipt.tsx";
import { previewBody } from "./wire.ts";
import { useWorstPrice } from "./worst_price.ts";
import { useOnePress } from "../wallet/one_press.ts";
import { SignInLink } from "../session/sign_in_link.tsx";

const TYPES: readonly (readonly [OrderType, string])[] = [
  ["LIMIT", "Limit"],
  ["MARKET", "Market"],
  ["STOP_LIMIT", "Stop limit"],
  ["STOP_MARKET", "Stop market"],
];

/** The ticket: what was typed, what it would mean at its worst, and one button that says why where it cannot be pressed. */
export function Ticket({ pair, onPlaced }: { pair: Pair; onPlaced?: () => void }) {
  const [draft, change] = useDraft(pair.symbol);
  const rules = rulesOf(pair);
  const wrong = wrongWith(draft, rules, useNow());
  const preview = usePreview(draft, pair, wrong);
  const blocked = useBlocked(draft, pair, wrong, preview);
  const worst = useWorstPrice(draft, pair, rules);
  const placing = usePlacing(pair, () => {
    // A name of one's own counts once, for ever.
    change({ reference: "" });
    onPlaced?.();
  });
  const shown = placing.underWay ?? { draft, worst };
  return (
    <form
      className="flex flex-col gap-3 p-3"
      aria-label={`Order for ${pair.symbol}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!blocked) placing.place({ draft, worst });
      }}
    >
      <fieldset disabled={placing.busy} className="flex min-w-0 flex-col gap-3">
        <SideChoice draft={draft} change={change} />
        <Select label="Order type" value={draft.orderType} onChange={(event) => change({ orderType: event.target.value as OrderType })}>
          {TYPES.map(([type, name]) => (
            <option key={type} value={type}>
              {name}
            </option>
          ))}
        </Select>
        <PriceFields draft={draft} change={change} pair={pair} wrong={wrong} />
        <Field label="Quantity" data-ticket="quantity" inputMode="decimal" unit={pair.base.symbol} value={draft.quantity} error={wrong.quantity} onChange={(event) => change({ quantity: event.target.value })} />
        <Share draft={draft} change={change} pair={pair} rules={rules} worst={worst} />
        <ForceFields draft={draft} change={change} wrong={wrong} />
        <MoreFields draft={draft} change={change} wrong={wrong} />
      </fieldset>
      <ReceiptView {...shown} pair={pair} rules={rules} preview={preview.isPlaceholderData ? undefined : preview.data} />
      {placing.error ? <ErrorState error={placing.error} /> : null}
      {placing.error && unanswered() ? <NoAnswer /> : null}
      <PlaceButton draft={shown.draft} pair={pair} blocked={blocked} busy={placing.busy} />
    </form>
  );
}

function SideChoice({ draft, change }: PartProps) {
  return (
    <div role="radiogroup" aria-label="Side" className="grid grid-cols-2 gap-1 rounded-md bg-raised p-1">
      {(["BUY", "SELL"] as const).map((side) => (
        <label
          key={side}
          className={classes(
            "cursor-pointer rounded py-1.5 text-center font-semibold has-focus-visible:outline-2 has-focus-visible:outline-accent",
            draft.side !== side && "text-muted",
            draft.side === side && (side === "BUY" ? "bg-up text-on-up" : "bg-down text-on-down"),
          )}
        >
          <input type="radio" name="side" value={side} className="sr-only" checked={draft.side === side} onChange={() => change({ side })} />
          {side === "BUY" ? "Buy" : "Sell"}
        </label>
      ))}
    </div>
  );
}

interface ShareProps extends PartProps {
  readonly pair: Pair;
  readonly rules: PairRules;
  readonly worst: string | null;
}

/** What is available, and how much of it the order takes: by slider, or all of it. */
function Share({ draft, change, pair, rules, worst }: ShareProps) {
  const { session } = useSession();
  const held = useQuery({ ...balancesOf(session?.userId ?? ""), enabled: session !== null });
  const token = draft.side === "BUY" ? pair.quote.symbol : pair.base.symbol;
  const available = held.data?.find(({ symbol }) => symbol === token)?.available ?? "0";
  const most = draft.side === "SELL" ? mostOf("SELL", available, "1", rules) : worst ? mostOf("BUY", available, worst, rules) : "0";
  const typed = readAmount(draft.quantity) ?? "0";
  const percent = Math.round(thousandths(typed, most) / 10);
  const usable = isPositive(most);
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-center justify-between gap-2 text-[13px] text-muted">
        <span className="min-w-0">
          Available <Quantity value={session ? available : null} unit={token} places={4} />
        </span>
        <Button small tone="quiet" disabled={!usable} onClick={() => change({ quantity: most })} title="The most, with the fee">
          Max
        </Button>
      </div>
      <input
        type="range"
        min={0}
        max={100}
        value={usable ? percent : 0}
        disabled={!usable}
        aria-label="Share of what is available"
        aria-valuetext={`${percent} percent`}
        className="w-full accent-accent"
        onChange={(event) => change({ quantity: event.target.valueAsNumber === 0 ? "" : partOf(most, event.target.valueAsNumber, rules.lotSize) })}
      />
    </div>
  );
}

function PlaceButton({ draft, pair, blocked, busy }: { draft: Draft; pair: Pair; blocked: Blocked | null; busy: boolean }) {
  if (blocked?.why === "signed-out") {
    return (
      <SignInLink className="rounded-md bg-accent px-3.5 py-2 text-center font-medium text-on-accent hover:brightness-110">
        Sign in to trade
      </SignInLink>
    );
  }
  const amount = readAmount(draft.quantity);
  const what = `${sentence(draft.side)}${amount && !blocked ? ` ${short(amount, 4)}` : ""} ${pair.base.symbol}`;
  return (
    <div className="flex flex-col gap-1">
      <Button type="submit" tone={draft.side === "BUY" ? "buy" : "sell"} busy={busy} reason={blocked?.text} className="w-full whitespace-normal!" data-testid="place">
        {what}
      </Button>
      {blocked ? (
        <p className="text-[13px] text-muted" data-blocked={blocked.why}>
          {blocked.text}
          {blocked.why === "compliance" && pair.marketId ? (
            <>
              {" "}
              <Link to={`/markets/${pair.marketId}`} hash="eligibility" className="text-accent underline underline-offset-2">
                See why
              </Link>
            </>
          ) : null}
        </p>
      ) : (
        <div className="flex items-center justify-between text-[12px] text-muted">
          <span>Your wallet shows just this before it signs.</span>
          <CopyAs request={{ method: "POST", path: "/api/v1/trading/orders/preview", body: previewBody(draft, pair) }} />
        </div>
      )}
    </div>
  );
}

/** What the receipt is about: the form, and the worst price as the book has it. */
interface Shown {
  readonly draft: Draft;
  readonly worst: string | null;
}

function usePlacing(pair: Pair, onPlaced: () => void) {
  const client = useQueryClient();
  return useOnePress({
    send: ({ draft, worst }: Shown) => placeOrder(client, asShown(draft, worst), pair),
    finish: finishPlacing,
    onSent: (order) => tell("Order placed", `${sentence(order.side)} ${short(order.quantity, 6)} of ${order.pair}.`),
    onOwnSent: onPlaced,
  });
}
