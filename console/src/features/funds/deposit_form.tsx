import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { isVerdict } from "../../api/problem.ts";
import { add, compare, isPositive, placesOf, readAmount } from "../../domain/decimal.ts";
import { useSession } from "../../state/session.ts";
import { announce } from "../../state/announcements.ts";
import { Button, EmptyState, ErrorState, Field, Quantity, Select } from "../../ui/index.ts";
import { useOffers } from "../wallet/wallets.ts";
import { deposit, permitFields, waysOf, type Terms, type Way } from "./depositing.ts";
import { OwnAddress } from "./own_address.tsx";
import { OneDeposit } from "./passages.tsx";
import { depositIsOver, depositTerms, keptTokens, myDeposits, useIntention } from "./questions.ts";
import { SignedFields } from "./signed_fields.tsx";

/** Money from one's own wallet into the vault, by signatures alone where the token allows that. */
export function DepositForm() {
  const { session } = useSession();
  const account = session?.account ?? "";
  const demo = useOffers().find(({ id }) => id === session?.walletId)?.demo !== undefined;
  const tokens = useQuery(keptTokens);
  const [symbol, setSymbol] = useState("USDC");
  const [amount, setAmount] = useState("");
  const [chosen, setChosen] = useState<Way>("relay");
  const [done, setDone] = useState<string | null>(null);
  const token = tokens.data?.find((found) => found.symbol === symbol);
  const terms = useQuery({ ...depositTerms(account, token?.id ?? ""), enabled: token !== undefined });
  const read = readAmount(amount);
  const exact = add(read ?? "0", "0");
  const ways = waysOf(terms.data, exact, !demo);
  const way = ways.includes(chosen) ? chosen : ways[0];
  const waits = useEarlier(symbol, way);
  const wrong = amountProblem(read, token) ?? tooMuch(exact, terms.data);
  const reason = wrong ?? waits ?? (way ? null : terms.isPending ? "The token's contract is being asked" : NO_WAY);
  const [refusals, setRefusals] = useState(0);
  const intention = useIntention([symbol, amount, way, done, refusals]);
  const fields = { trader: account, token: token?.contractAddress ?? "", amount: exact, ...intention };
  const approval = terms.data && token && way === "relay" ? permitFields(fields, terms.data, token.decimals) : null;
  const client = useQueryClient();
  const depositing = useMutation({
    mutationFn: (by: Way) => deposit(client, fields, by, terms.data, token?.decimals ?? 0),
    onSuccess: ({ id }) => {
      announce("Announced");
      setDone(id);
      setAmount("");
    },
    onError: (error) => {
      if (isVerdict(error)) setRefusals((before) => before + 1);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["ledger"] });
      void client.invalidateQueries({ queryKey: ["deposit-terms"] });
    },
  });
  return (
    <form
      className="flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason && way) depositing.mutate(way);
      }}
    >
      <OwnAddress account={account} />
      <fieldset disabled={depositing.isPending} className="grid min-w-0 gap-4 sm:grid-cols-2">
        <Select label="Token" value={symbol} onChange={(event) => setSymbol(event.target.value)}>
          {(tokens.data ?? []).map((found) => (
            <option key={found.id} value={found.symbol}>
              {found.symbol}
            </option>
          ))}
        </Select>
        <Field
          label="Amount"
          inputMode="decimal"
          unit={symbol}
          value={amount}
          error={amount ? wrong : null}
          help={<InTheWallet terms={terms.data} onAll={setAmount} />}
          onChange={(event) => setAmount(event.target.value)}
        />
      </fieldset>
      {terms.error ? <ErrorState error={terms.error} onRetry={() => void terms.refetch()} /> : null}
      <Ways ways={ways} chosen={way} demo={demo} asked={terms.data !== undefined} onChoose={setChosen} />
      {wrong ? null : <SignedFields struct="Deposit" fields={fields} />}
      {approval && !wrong ? <SignedFields struct="Permit" fields={approval} /> : null}
      {depositing.error ? <ErrorState error={depositing.error} /> : null}
      <Button type="submit" tone="primary" busy={depositing.isPending} reason={reason} className="self-start">
        Sign and deposit
      </Button>
      {done ? <OneDeposit id={done} onClose={() => setDone(null)} /> : null}
    </form>
  );
}

const NO_WAY = "This token takes no approvals by signature, and a demo wallet sends no transactions";

function InTheWallet({ terms, onAll }: { terms: Terms | undefined; onAll: (amount: string) => void }): ReactNode {
  const held = terms?.held;
  if (!held) return null;
  return (
    <>
      In your wallet: <Quantity value={held} unit={terms.symbol} />{" "}
      {isPositive(held) ? (
        <Button small tone="quiet" onClick={() => onAll(held)}>
          All of it
        </Button>
      ) : null}
    </>
  );
}

const NAMES: Readonly<Record<Way, string>> = {
  relay: "The platform brings it: you sign, and pay nothing",
  own: "My wallet sends it: two transactions, paid by me",
};

interface WaysProps {
  readonly ways: readonly Way[];
  readonly chosen: Way | undefined;
  readonly demo: boolean;
  readonly asked: boolean;
  readonly onChoose: (way: Way) => void;
}

function Ways({ ways, chosen, demo, asked, onChoose }: WaysProps): ReactNode {
  if (asked && ways.length === 0 && demo) {
    return (
      <EmptyState title="This token comes in by a wallet's own transactions alone">
        Its contract takes no approvals by signature. Demo wallets send none; a wallet of your own does.
      </EmptyState>
    );
  }
  if (ways.length === 0) return null;
  return (
    <Select label="How it comes in" value={chosen} onChange={(event) => onChoose(event.target.value as Way)}>
      {ways.map((way) => (
        <option key={way} value={way}>
          {NAMES[way]}
        </option>
      ))}
    </Select>
  );
}

/** An approval names the number of approvals before it: one that is on its way has to be used first. */
function useEarlier(symbol: string, way: Way | undefined): string | null {
  const before = useQuery(myDeposits).data ?? [];
  const waits = before.some((entry) => entry.relayed && entry.symbol === symbol && !depositIsOver(entry.status) && !entry.onChain);
  return waits && way === "relay" ? "An earlier deposit is about to be sent; this one can follow in a moment" : null;
}

function tooMuch(amount: string, terms: Terms | undefined): string | null {
  return terms?.held && compare(amount, terms.held) > 0 ? `Your wallet has ${terms.held}` : null;
}

export function amountProblem(read: string | null, token: { readonly decimals: number } | undefined): string | null {
  if (read === null || !isPositive(read)) return "Say how much";
  if (!token) return "The vault does not keep this token";
  return placesOf(read) > token.decimals ? `At most ${token.decimals} places` : null;
}
