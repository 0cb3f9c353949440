import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { getAddress, isAddress } from "viem";
import { api } from "../../api/client.ts";
import { isVerdict } from "../../api/problem.ts";
import { balancesOf } from "../../api/queries.ts";
import { add, compare, larger, readAmount, subtract } from "../../domain/decimal.ts";
import { settling } from "../../domain/holdings.ts";
import { useSession } from "../../state/session.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Dialog, ErrorState, Facts, Field, Notice, Quantity, Select } from "../../ui/index.ts";
import { allTrades, fillsOf } from "../portfolio/questions.ts";
import { signAction } from "../wallet/signing.ts";
import { amountProblem } from "./deposit_form.tsx";
import { DayLimit, overTheDay } from "./day_limit.tsx";
import { destinations, keptTokens, limitsOf, myWithdrawals, useIntention } from "./questions.ts";
import { SignedFields } from "./signed_fields.tsx";

/** Money out of the vault: to an address that is shown in full, by a signature that names it. */
export function WithdrawForm() {
  const { session } = useSession();
  const account = session?.account ?? "";
  const [symbol, setSymbol] = useState("USDC");
  const [amount, setAmount] = useState("");
  const [typed, setTyped] = useState(account);
  const [sure, setSure] = useState(false);
  const free = useFree(session?.userId ?? "", symbol);
  const token = useQuery(keptTokens).data?.find((found) => found.symbol === symbol);
  const address = readAddress(typed);
  const read = readAmount(amount);
  const limits = useQuery({ ...limitsOf(token?.id ?? ""), enabled: token !== undefined }).data;
  const wrong = amountProblem(read, token) ?? (read && compare(read, free.most) > 0 ? `At most ${free.most}` : null) ?? overTheDay(read, limits);
  const reason = wrong ?? address.problem;
  const [answers, setAnswers] = useState(0);
  const intention = useIntention([symbol, amount, address.checked, answers]);
  return (
    <form
      className="flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason) setSure(true);
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Select label="Token" value={symbol} onChange={(event) => setSymbol(event.target.value)}>
          {free.symbols.map((held) => (
            <option key={held} value={held}>
              {held}
            </option>
          ))}
        </Select>
        <Field
          label="Amount"
          inputMode="decimal"
          unit={symbol}
          value={amount}
          error={amount ? wrong : null}
          help={
            <>
              <Button small tone="quiet" onClick={() => setAmount(free.most)}>
                Max <Quantity value={free.most} />
              </Button>
              {free.onItsWay === "0" ? null : (
                <>
                  {" "}
                  <Quantity value={free.onItsWay} /> more is settling, and can leave when the chain has confirmed it.
                </>
              )}
            </>
          }
          onChange={(event) => setAmount(event.target.value)}
        />
        <Field
          label="To"
          className="sm:col-span-2"
          spellCheck={false}
          value={typed}
          error={typed ? address.problem : null}
          help={
            <>
              {address.checked ? <code className="block font-mono break-all text-text">{address.checked}</code> : null}
              {address.checked === account ? "Your own account, outside the vault." : "An address on this chain. What is sent to the wrong one is gone."}
            </>
          }
          onChange={(event) => setTyped(event.target.value.trim())}
        />
      </div>
      {limits ? <DayLimit of={limits} amount={wrong ? null : read} /> : null}
      {address.checked ? <FirstTime address={address.checked} own={account} /> : null}
      <Button type="submit" tone="primary" reason={reason} className="self-start">
        Review again
      </Button>
      {sure && token?.contractAddress && address.checked && read ? (
        <Sure
          symbol={symbol}
          fields={{ trader: account, token: token.contractAddress, amount: add(read, "0"), destination: address.checked, ...intention }}
          onClose={() => setSure(false)}
          onAnswered={() => setAnswers((before) => before + 1)}
          onDone={() => setAmount("")}
        />
      ) : null}
    </form>
  );
}

/** What can leave now, and what only later. */
function useFree(userId: string, symbol: string) {
  const balances = useQuery(balancesOf(userId)).data ?? [];
  const trades = useQuery(allTrades(userId)).data?.trades ?? [];
  const fills = fillsOf(trades, new Map(balances.map((held) => [held.tokenId, held.symbol])));
  const available = balances.find((held) => held.symbol === symbol)?.available ?? "0";
  const onItsWay = settling(fills).get(symbol) ?? "0";
  return { symbols: balances.map((held) => held.symbol), most: larger(subtract(available, onItsWay), "0"), onItsWay };
}

interface Read {
  /** With the letters that its checksum asks for (EIP-55). */
  readonly checked: string | null;
  readonly problem: string | null;
}

export function readAddress(typed: string): Read {
  if (!typed) return { checked: null, problem: "Say where to" };
  if (!/^0x[0-9a-fA-F]{40}$/.test(typed)) return { checked: null, problem: "An address is 0x and 40 hexadecimal digits" };
  const plain = typed === typed.toLowerCase() || typed.slice(2) === typed.slice(2).toUpperCase();
  if (!plain && !isAddress(typed)) return { checked: null, problem: "Its checksum does not fit: a letter is wrong" };
  return { checked: getAddress(`0x${typed.slice(2).toLowerCase()}`), problem: null };
}

function FirstTime({ address, own }: { address: string; own: string }) {
  const before = useQuery(myWithdrawals);
  const listed = useQuery(destinations);
  const known = before.data?.some((past) => past.status === "COMPLETED" && past.destination.toLowerCase() === address.toLowerCase());
  const isListed = listed.data?.addresses.some((entry) => entry.address.toLowerCase() === address.toLowerCase());
  if (!before.data || known || isListed || address === own) return null;
  return (
    <Notice tone="warn" title="You have never withdrawn to this address">
      <p>Compare every character with where you have it from. A small amount first shows whether it arrives.</p>
    </Notice>
  );
}

interface SureProps {
  readonly symbol: string;
  readonly fields: { readonly trader: string; readonly token: string; readonly amount: string; readonly destination: string; readonly nonce: string; readonly expiry: number };
  readonly onClose: () => void;
  readonly onAnswered: () => void;
  readonly onDone: () => void;
}

function Sure({ symbol, fields, onClose, onAnswered, onDone }: SureProps) {
  const client = useQueryClient();
  const withdrawing = useMutation({
    mutationFn: async () => {
      const signature = await signAction(client, "Withdrawal", fields);
      return api.post("/api/v1/withdrawals", { body: { ...fields, signature }, key: fields.nonce });
    },
    onSuccess: (withdrawal) => {
      tell("Asked for", withdrawal.status === "PENDING_APPROVAL" ? "Somebody of ours looks at it first." : "It leaves by itself.");
      onAnswered();
      onDone();
      onClose();
    },
    onError: (error) => {
      if (isVerdict(error)) onAnswered();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["ledger"] });
      void client.invalidateQueries({ queryKey: ["balances"] });
    },
  });
  return (
    <Dialog open title="Withdraw?" onClose={onClose}>
      <div className="flex flex-col gap-4">
        <Facts
          facts={[
            ["Leaves the vault", <Quantity key="a" value={fields.amount} unit={symbol} places={18} />],
            ["To", <code key="d" className="font-mono break-all">{fields.destination}</code>],
          ]}
        />
        <SignedFields struct="Withdrawal" fields={fields} />
        {withdrawing.error ? <ErrorState error={withdrawing.error} /> : null}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Not now</Button>
          <Button tone="primary" busy={withdrawing.isPending} onClick={() => withdrawing.mutate()}>
            Sign and withdraw
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
