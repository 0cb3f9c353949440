/** Deposits and withdrawals, each with its way. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { depositSteps, withdrawalSteps, type Step } from "../../domain/passage.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Button, Dialog, EmptyState, Facts, Hex, Loaded, Quantity, Status, Stepper, Table, Time } from "../../ui/index.ts";
import { Confirmations } from "../chain/confirmations.tsx";
import { depositIsOver, myDeposits, myWithdrawals, oneDeposit } from "./questions.ts";

function Way({ steps, txHash }: { steps: readonly Step[]; txHash: string | null }) {
  return (
    <>
      <Stepper label="Steps" steps={steps.map(({ title, state, note }) => ({ title, state, detail: note || null }))} />
      {txHash ? (
        <p>
          Transaction <Hex value={txHash} whole />
        </p>
      ) : null}
    </>
  );
}

function WayIn({ of }: { of: Schemas["DepositAnswer"] }) {
  return <Way steps={depositSteps(of)} txHash={of.txHash ?? of.onChain?.txHash ?? null} />;
}

/** The one that was just signed, step by step, until it is credited. */
export function OneDeposit({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const asked = useQuery(oneDeposit(id));
  const over = asked.data !== undefined && depositIsOver(asked.data.status);
  useEffect(() => {
    if (!over) return;
    for (const room of ["deposit-terms", "balances", "ledger"]) void client.invalidateQueries({ queryKey: [room] });
  }, [client, over]);
  return (
    <section aria-label="Your deposit" className="rounded-md border border-line p-3">
      <Loaded of={asked}>
        {(told) => (
          <>
            <h3 className="mb-3 font-medium">
              <Quantity value={told.credited ?? told.amount} unit={told.symbol} /> <Status of={told.status} />
            </h3>
            <WayIn of={told} />
            <Button small tone="quiet" onClick={onClose}>
              Close this
            </Button>
          </>
        )}
      </Loaded>
    </section>
  );
}

export function Deposits() {
  const asked = useQuery(myDeposits);
  const [shown, setShown] = useState<string | null>(null);
  const opened = asked.data?.find(({ id }) => id === shown);
  return (
    <Loaded of={asked}>
      {(rows) => (
        <>
          <Table
            caption="Deposits"
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title="No deposit yet">What you bring into the vault stands here until it is credited, and after.</EmptyState>}
            columns={[
              { head: "Amount", primary: true, cell: (row) => <Quantity value={row.credited ?? row.amount} unit={row.symbol} className="font-medium" /> },
              { head: "When", cell: (row) => <Time at={row.createdAt} /> },
              { head: "Status", cell: (row) => <><Status of={row.status} /> <Confirmations of={row.onChain} /></> },
              { head: "Transaction", right: true, wide: true, cell: (row) => <Hex value={row.txHash ?? row.onChain?.txHash ?? null} /> },
              { head: "", right: true, cell: (row) => <Open of={row} onOpen={setShown} /> },
            ]}
          />
          <Dialog open={opened !== undefined} title={opened ? `Deposit of ${opened.amount} ${opened.symbol}` : ""} onClose={() => setShown(null)}>
            {opened ? <WayIn of={opened} /> : null}
          </Dialog>
        </>
      )}
    </Loaded>
  );
}

function Open({ of, onOpen }: { of: { readonly id: string; readonly amount: string; readonly symbol: string }; onOpen: (id: string) => void }) {
  return (
    <Button small aria-label={`Steps: ${of.amount} ${of.symbol}`} onClick={() => onOpen(of.id)}>
      Steps
    </Button>
  );
}

export function Withdrawals() {
  const asked = useQuery(myWithdrawals);
  const [shown, setShown] = useState<string | null>(null);
  const opened = asked.data?.find(({ id }) => id === shown);
  return (
    <Loaded of={asked}>
      {(rows) => (
        <>
          <Table
            caption="Withdrawals"
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title="No withdrawal yet">What you take out of the vault stands here, with where it went.</EmptyState>}
            columns={[
              { head: "Amount", primary: true, cell: (row) => <Quantity value={row.amount} unit={row.symbol} className="font-medium" /> },
              { head: "To", cell: (row) => <Hex value={row.destination} /> },
              { head: "When", cell: (row) => <Time at={row.createdAt} /> },
              { head: "Status", cell: (row) => <><Status of={row.status} /> <Confirmations of={row.onChain} /></> },
              { head: "Transaction", right: true, wide: true, cell: (row) => <Hex value={row.txHash ?? row.onChain?.txHash ?? null} /> },
              { head: "", right: true, cell: (row) => <Open of={row} onOpen={setShown} /> },
            ]}
          />
          <Dialog open={opened !== undefined} title={opened ? `Withdrawal of ${opened.amount} ${opened.symbol}` : ""} onClose={() => setShown(null)}>
            {opened ? <OneWithdrawal of={opened} /> : null}
          </Dialog>
        </>
      )}
    </Loaded>
  );
}

function OneWithdrawal({ of }: { of: Schemas["WithdrawalAnswer"] }) {
  const client = useQueryClient();
  const cancelling = useMutation({
    mutationFn: () => api.post("/api/v1/withdrawals/{id}/cancel", { path: { id: of.id }, seen: of.version, key: newKey() }),
    onSuccess: () => tell("Taken back", "What was held is available again."),
    onError: tellProblem,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["ledger"] });
      void client.invalidateQueries({ queryKey: ["balances"] });
    },
  });
  return (
    <div className="flex flex-col gap-4">
      <Way steps={withdrawalSteps(of)} txHash={of.txHash ?? of.onChain?.txHash ?? null} />
      <Facts
        facts={[
          ["To", <code key="d" className="font-mono text-[13px] break-all">{of.destination}</code>],
          ["Asked for", <Time key="c" at={of.createdAt} />],
          ["Signature counts until", <Time key="e" at={of.expiresAt} />],
        ]}
      />
      {of.status === "PENDING_APPROVAL" ? (
        <Button busy={cancelling.isPending} onClick={() => cancelling.mutate()} className="self-end">
          Take it back
        </Button>
      ) : null}
    </div>
  );
}
