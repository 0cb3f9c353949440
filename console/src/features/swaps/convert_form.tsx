import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Pair } from "../../api/queries.ts";
import { add, readAmount } from "../../domain/decimal.ts";
import { percentOfBps, short } from "../../domain/show.ts";
import { fitting, routeOf, swapProblem, targetsOf, tokensOf, TOLERANCES_BPS, type Route, type SwapDraft } from "../../domain/swap.ts";
import { useSession } from "../../state/session.ts";
import { Button, CopyAs, ErrorState, Field, Quantity, Select } from "../../ui/index.ts";
import { SignInLink } from "../session/sign_in_link.tsx";
import { useSettled, type Blocked } from "../trading/blocked.ts";
import { NoAnswer } from "../trading/no_answer.tsx";
import { useAvailable, useSwapBlocked } from "./blocked.ts";
import { useSwapDraft } from "./draft.ts";
import { unanswered, useSwapping } from "./placing.ts";
import { quoteOf, type Swap, type Wish } from "./questions.ts";
import { SwapReceipt } from "./receipt.tsx";

interface Props {
  readonly pairs: readonly Pair[];
  readonly onPlaced: (swap: Swap) => void;
}

/** One token for another: what the book gives for it now, what is signed, and one button that says why where it cannot be pressed. */
export function ConvertForm({ pairs, onPlaced }: Props) {
  const [kept, change] = useSwapDraft();
  const draft = fitting(kept, pairs);
  const route = routeOf(draft.from, draft.to, pairs);
  return route ? <Form draft={draft} change={change} route={route} pairs={pairs} onPlaced={onPlaced} /> : null;
}

interface FormProps extends Props {
  readonly draft: SwapDraft;
  readonly change: (change: Partial<SwapDraft>) => void;
  readonly route: Route<Pair>;
}

function Form({ draft, change, route, pairs, onPlaced }: FormProps) {
  const { pair, side } = route;
  const wrong = swapProblem(draft.amount, side === "BUY" ? pair.quote.decimals : pair.base.decimals);
  const typing = wrong ?? (draft.amount ? null : "Enter an amount");
  const wish: Wish = { tradingPairId: pair.symbol, side, amountIn: typing ? "" : add(readAmount(draft.amount) ?? "0", "0"), toleranceBps: draft.toleranceBps };
  const { quote, error } = useQuote(wish, typing === null && pair.status === "active");
  const blocked = useSwapBlocked({ route, typing, quote, error });
  const swapping = useSwapping((swap) => {
    change({ amount: "" });
    onPlaced(swap);
  });
  return (
    <form
      className="flex flex-col gap-3"
      aria-label="Convert one token into another"
      onSubmit={(event) => {
        event.preventDefault();
        // What the receipt says at the moment of the press is what is signed.
        if (!blocked && quote) swapping.place({ wish, quote });
      }}
    >
      <fieldset disabled={swapping.busy} className="flex min-w-0 flex-col gap-3">
        <Tokens draft={draft} change={change} pairs={pairs} />
        <Amount draft={draft} change={change} route={route} wrong={wrong} />
        <Tolerance draft={draft} change={change} />
      </fieldset>
      <SwapReceipt from={draft.from} to={draft.to} pair={pair} quote={swapping.underWay?.quote ?? quote} />
      {swapping.error ? <ErrorState error={swapping.error} /> : null}
      {swapping.error && unanswered() ? <NoAnswer what="swap" /> : null}
      <ConvertButton draft={draft} pair={pair} wish={wish} blocked={blocked} busy={swapping.busy} />
    </form>
  );
}

function Tolerance({ draft, change }: Pick<FormProps, "draft" | "change">) {
  return (
    <Select
      label="The book may move against me by"
      help="For less than what that leaves, nothing is converted."
      value={draft.toleranceBps}
      onChange={(event) => change({ toleranceBps: TOLERANCES_BPS[event.target.selectedIndex] ?? draft.toleranceBps })}
    >
      {TOLERANCES_BPS.map((bps) => (
        <option key={bps} value={bps}>
          {bps === 0 ? "Nothing" : percentOfBps(bps).replace("+", "")}
        </option>
      ))}
    </Select>
  );
}

/** The answer to just this wish: what was said to another amount, a key before, never stands beside it. */
function useQuote(wish: Wish, complete: boolean) {
  const settled = useSettled(JSON.stringify(wish));
  const isSettled = settled === JSON.stringify(wish);
  const asked = useQuery({ ...quoteOf(wish), enabled: complete && isSettled });
  if (!complete || !isSettled) return { quote: undefined, error: null };
  return { quote: asked.data?.quote, error: asked.data?.refusal ?? asked.error ?? asked.failureReason };
}

function Tokens({ draft, change, pairs }: Pick<FormProps, "draft" | "change" | "pairs">) {
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Choice label="From" value={draft.from} of={tokensOf(pairs)} onChoose={(from) => change({ ...draft, from, to: draft.to === from ? draft.from : draft.to })} />
      <Button aria-label="The other way round" onClick={() => change({ from: draft.to, to: draft.from, amount: "" })}>
        <span aria-hidden="true">⇄</span>
      </Button>
      <Choice label="To" value={draft.to} of={targetsOf(draft.from, pairs)} onChoose={(to) => change({ ...draft, to })} />
    </div>
  );
}

function Choice({ label, value, of, onChoose }: { label: string; value: string; of: readonly string[]; onChoose: (symbol: string) => void }) {
  return (
    <Select label={label} className="flex-1 basis-32" value={value} onChange={(event) => onChoose(event.target.value)}>
      {of.map((symbol) => (
        <option key={symbol} value={symbol}>
          {symbol}
        </option>
      ))}
    </Select>
  );
}

function Amount({ draft, change, route, wrong }: Pick<FormProps, "draft" | "change" | "route"> & { wrong: string | null }) {
  const { session } = useSession();
  const available = useAvailable(route);
  return (
    <Field
      label="Amount"
      inputMode="decimal"
      unit={draft.from}
      value={draft.amount}
      error={wrong}
      help={
        session ? (
          <Button small tone="quiet" disabled={!available || available === "0"} onClick={() => change({ ...draft, amount: available ?? "" })}>
            All that is available: <Quantity value={available} unit={draft.from} />
          </Button>
        ) : null
      }
      onChange={(event) => change({ ...draft, amount: event.target.value })}
    />
  );
}

interface ButtonProps {
  readonly draft: SwapDraft;
  readonly pair: Pair;
  readonly wish: Wish;
  readonly blocked: Blocked | null;
  readonly busy: boolean;
}

function ConvertButton({ draft, pair, wish, blocked, busy }: ButtonProps) {
  if (blocked?.why === "signed-out") {
    return <SignInLink className="rounded-md bg-accent px-3.5 py-2 text-center font-medium text-on-accent hover:brightness-110">Sign in to convert</SignInLink>;
  }
  return (
    <div className="flex flex-col gap-1">
      <Button type="submit" tone="primary" busy={busy} reason={blocked?.text} className="w-full whitespace-normal!" data-testid="convert">
        Convert {blocked ? "" : `${short(wish.amountIn, 6)} `}
        {draft.from} into {draft.to}
      </Button>
      {blocked ? (
        <p className="text-[13px] text-muted" data-blocked={blocked.why}>
          {blocked.text}
          <Remedy of={blocked} pair={pair} />
        </p>
      ) : (
        <div className="flex items-center justify-between text-[12px] text-muted">
          <span>Your wallet shows just this before it signs.</span>
          <CopyAs request={{ method: "POST", path: "/api/v1/swaps/quote", body: wish }} />
        </div>
      )}
    </div>
  );
}

function Remedy({ of, pair }: { of: Blocked; pair: Pair }) {
  const link = "text-accent underline underline-offset-2";
  if (of.why === "compliance" && pair.marketId) {
    return (
      <>
        {" "}
        <Link to={`/markets/${pair.marketId}`} hash="eligibility" className={link}>
          See why
        </Link>
      </>
    );
  }
  if (of.why !== "funds") return null;
  return (
    <>
      {" "}
      <Link to="/funds" className={link}>
        Deposit
      </Link>
    </>
  );
}
