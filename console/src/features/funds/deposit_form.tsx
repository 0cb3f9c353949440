import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { add, isPositive, placesOf, readAmount } from "../../domain/decimal.ts";
import { useSession } from "../../state/session.ts";
import { tell } from "../../state/toasts.ts";
import { Button, ErrorState, Field, Hex, Notice, Select } from "../../ui/index.ts";
import { sendAll } from "../wallet/sending.ts";
import { signAction } from "../wallet/signing.ts";
import { useOffers } from "../wallet/wallets.ts";
import { expiryFromNow, keptTokens } from "./questions.ts";
import { SignedFields } from "./signed_fields.tsx";

/** Money from one's own wallet into the vault: announced by a signature, brought by the wallet's own transactions. */
export function DepositForm() {
  const { session } = useSession();
  const account = session?.account ?? "";
  const demo = useOffers().find(({ id }) => id === session?.walletId)?.demo !== undefined;
  const tokens = useQuery(keptTokens);
  const [symbol, setSymbol] = useState("USDC");
  const [amount, setAmount] = useState("");
  const token = tokens.data?.find((found) => found.symbol === symbol);
  const read = readAmount(amount);
  const wrong = amountProblem(read, token);
  const intention = useMemo(() => ({ nonce: newKey(), expiry: expiryFromNow() }), [symbol, amount]);
  const fields = { trader: account, token: token?.contractAddress ?? "", amount: add(read ?? "0", "0"), ...intention };
  const depositing = useDeposit(fields, () => setAmount(""));
  return (
    <form
      className="flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong && !demo) depositing.mutate();
      }}
    >
      <Notice title="Never send tokens to the vault's address yourself">
        <p>
          Have them in your own wallet first: <Hex value={account} whole />
        </p>
        <p>From there a deposit is two transactions, an approval and the deposit, which this page has your wallet send.</p>
      </Notice>
      {demo ? (
        <Notice tone="warn" title="Demo wallets send no transactions">
          The demo has deposited for its people already. More comes in a terminal: <code className="font-mono">deedbook dollars {account} 1000</code>, then{" "}
          <code className="font-mono">deedbook deposit USDC 1000 --as investor</code>. A wallet of your own deposits here.
        </Notice>
      ) : null}
      <div className="grid gap-4 sm:grid-cols-2">
        <Select label="Token" value={symbol} onChange={(event) => setSymbol(event.target.value)}>
          {(tokens.data ?? []).map((found) => (
            <option key={found.id} value={found.symbol}>
              {found.symbol}
            </option>
          ))}
        </Select>
        <Field label="Amount" inputMode="decimal" unit={symbol} value={amount} error={amount ? wrong : null} onChange={(event) => setAmount(event.target.value)} />
      </div>
      {wrong ? null : <SignedFields struct="Deposit" fields={fields} />}
      {depositing.error ? <ErrorState error={depositing.error} /> : null}
      <Button type="submit" tone="primary" busy={depositing.isPending} reason={demo ? "Demo wallets send no transactions" : wrong} className="self-start">
        Sign and deposit
      </Button>
    </form>
  );
}

export function amountProblem(read: string | null, token: { readonly decimals: number } | undefined): string | null {
  if (read === null || !isPositive(read)) return "Say how much";
  if (!token) return "The vault does not keep this token";
  return placesOf(read) > token.decimals ? `At most ${token.decimals} places` : null;
}

type Announced = Omit<Schemas["SignedDeposit"], "signature" | "relay" | "permit"> & { readonly trader: string; readonly amount: string; readonly expiry: number };

function useDeposit(fields: Announced, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const signature = await signAction(client, "Deposit", fields);
      const announced = await api.post("/api/v1/deposits", { body: { ...fields, signature, relay: false }, key: fields.nonce });
      void client.invalidateQueries({ queryKey: ["ledger"] });
      await sendAll(client, announced.send ?? []);
    },
    onSuccess: () => {
      tell("On its way", "The vault credits it when the chain has confirmed it.");
      onDone();
    },
  });
}
