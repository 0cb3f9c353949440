import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Confirm, ErrorState, Loaded, Notice, Quantity, SkeletonRows, TextArea } from "../../ui/index.ts";
import { OrdersThatEnd } from "./open_orders.tsx";
import { exposureOf, standingOf, type Exposure, type Standing } from "./queries.ts";

type Step = "freeze" | "unfreeze" | "list" | "unlist";

interface Said {
  readonly button: string;
  readonly title: string;
  readonly effect: string;
  readonly done: string;
  readonly isHard: boolean;
}

const SAID: Readonly<Record<Step, Said>> = {
  freeze: {
    button: "Freeze the account",
    title: "Freeze this account?",
    effect: "Nothing of it moves any more, of any token, here and on the chain, until somebody lifts the freeze.",
    done: "The account is frozen",
    isHard: true,
  },
  unfreeze: {
    button: "Lift the freeze",
    title: "Lift the freeze?",
    effect: "The account moves again as far as its records allow. Orders that ended stay ended.",
    done: "The freeze is lifted",
    isHard: false,
  },
  list: {
    button: "Put on the sanctions list",
    title: "Put this account on the list?",
    effect: "It is not served any more: no order, deposit, withdrawal or transfer, and the chain takes it for unverified.",
    done: "The account is on the list",
    isHard: true,
  },
  unlist: {
    button: "Take off the sanctions list",
    title: "Take this account off the list?",
    effect: "It is served again as far as its records allow. The KYC provider may put it back.",
    done: "The account is off the list",
    isHard: false,
  },
};

/** Freeze and sanctions, each with its effect before it is done and a reason that stays. */
export function Enforcement({ standing }: { standing: Standing }) {
  const [step, setStep] = useState<Step | null>(null);
  const steps: readonly Step[] = [standing.frozen ? "unfreeze" : "freeze", standing.sanctioned ? "unlist" : "list"];
  return (
    <div className="flex flex-wrap gap-2">
      {steps.map((one) => (
        <Button key={one} onClick={() => setStep(one)}>
          {SAID[one].button}
        </Button>
      ))}
      {step ? <Sure key={step} step={step} userId={standing.userId} onClose={() => setStep(null)} /> : null}
    </div>
  );
}

function Sure({ step, userId, onClose }: { step: Step; userId: string; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const key = useRef(newKey());
  const said = SAID[step];
  const doing = useMutation({
    mutationFn: () => enforce(step, userId, reason.trim(), key.current),
    onSuccess: async () => {
      tell(said.done);
      await client.invalidateQueries({ queryKey: standingOf(userId).queryKey });
      void client.invalidateQueries({ queryKey: exposureOf(userId).queryKey });
      onClose();
    },
  });
  return (
    <Confirm
      open
      title={said.title}
      what={said.button}
      tone={said.isHard ? "danger" : "primary"}
      busy={doing.isPending}
      reason={reason.trim() ? null : "Write a reason first"}
      onClose={onClose}
      onConfirm={() => doing.mutate()}
    >
      <div className="flex flex-col gap-3">
        <p>{said.effect}</p>
        {said.isHard ? <Effect userId={userId} /> : null}
        <TextArea
          label="Reason"
          help="It stands in the sealed record."
          maxLength={1000}
          value={reason}
          onChange={({ target }) => {
            setReason(target.value);
            key.current = newKey();
          }}
        />
        {doing.error ? <ErrorState error={doing.error} /> : null}
      </div>
    </Confirm>
  );
}

function enforce(step: Step, userId: string, reason: string, key: string): Promise<Standing> {
  const path = { userId };
  switch (step) {
    case "freeze":
      return api.post("/api/v1/compliance/{userId}/freeze", { path, body: { reason }, key });
    case "unfreeze":
      return api.post("/api/v1/compliance/{userId}/unfreeze", { path, body: { reason }, key });
    case "list":
    case "unlist":
      return api.post("/api/v1/compliance/{userId}/sanctions", { path, body: { sanctioned: step === "list", reason }, key });
  }
}

function Effect({ userId }: { userId: string }) {
  const asked = useQuery({ ...exposureOf(userId), staleTime: 0 });
  return (
    <Loaded of={asked} waiting={<SkeletonRows rows={2} />}>
      {(exposure) => (
        <Notice tone="warn" title="What it reaches now">
          <Reached exposure={exposure} />
        </Notice>
      )}
    </Loaded>
  );
}

export function Reached({ exposure: { open, balances } }: { exposure: Exposure }) {
  return (
    <div className="flex flex-col gap-2" data-testid="exposure">
      <OrdersThatEnd of={open} />
      <p>{balances.length === 0 ? "Nothing is held here." : "What cannot be moved any more:"}</p>
      <ul className="list-disc pl-5">
        {balances.map((balance) => (
          <li key={balance.tokenId}>
            <Quantity value={balance.total} unit={balance.symbol} />
            {balance.locked === "0" ? null : (
              <span className="text-muted">
                , of it <Quantity value={balance.locked} /> locked
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
