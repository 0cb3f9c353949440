import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { Button, Check, CopyAs, Dialog, ErrorState, Field } from "../../ui/index.ts";
import { ShownOnce } from "./shown_once.tsx";

type Kind = NonNullable<Schemas["AddWebhook"]["kinds"]>[number];

/** What people ask for, by what it is about. Everything is posted where nothing is chosen. */
const GROUPS: readonly (readonly [string, readonly Kind[]])[] = [
  ["Orders", ["order.filled", "order.partially_filled", "order.cancelled", "order.rejected", "order.expired"]],
  ["Settlement", ["trade.settled", "trade.settlement_failed"]],
  ["Money", ["deposit.credited", "deposit.failed", "withdrawal.completed", "withdrawal.rejected", "withdrawal.failed", "transfer.received"]],
  ["My markets", ["market.approved", "market.rejected", "market.activated", "market.activation_failed", "token.minted"]],
  ["My standing", ["compliance.expiring", "compliance.expired", "compliance.account_frozen", "compliance.account_unfrozen"]],
];

export function NewWebhook({ onMade, onClose }: { onMade: () => void; onClose: () => void }) {
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [groups, setGroups] = useState<readonly string[]>([]);
  const key = useRef(newKey());
  const kinds = GROUPS.filter(([name]) => groups.includes(name)).flatMap(([, inIt]) => [...inIt]);
  const body = { url: url.trim(), description: description.trim(), kinds };
  const adding = useMutation({
    mutationFn: () => api.post("/api/v1/me/webhooks", { body, key: key.current }),
    onSuccess: onMade,
  });
  const anew = (): void => {
    key.current = newKey();
  };
  if (adding.data) {
    return (
      <Dialog open title="The webhook's secret" onClose={onClose}>
        <div className="flex flex-col gap-4">
          <ShownOnce secret={adding.data.secret} what="the secret">
            Messages are signed with it (Standard Webhooks): verify them, and take each webhook-id once.
          </ShownOnce>
          <Button tone="primary" className="self-end" onClick={onClose}>
            I have it
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog open title="New webhook" onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onChange={anew}
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate();
        }}
      >
        <Field label="Address" type="url" placeholder="https://example.com/deedbook" maxLength={500} value={url} onChange={({ target }) => setUrl(target.value)} />
        <Field label="What it is for" maxLength={200} value={description} onChange={({ target }) => setDescription(target.value)} />
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 text-[13px] font-medium text-muted">What is posted; everything, where nothing is chosen</legend>
          {GROUPS.map(([name, inIt]) => (
            <Check
              key={name}
              label={name}
              help={inIt.join(", ")}
              checked={groups.includes(name)}
              onChange={({ target }) => setGroups(target.checked ? [...groups, name] : groups.filter((one) => one !== name))}
            />
          ))}
        </fieldset>
        {adding.error ? <ErrorState error={adding.error} /> : null}
        <div className="flex flex-wrap items-center justify-between gap-2">
          <CopyAs request={{ method: "POST", path: "/api/v1/me/webhooks", body, keyed: true }} />
          <Button tone="primary" type="submit" busy={adding.isPending} reason={url.trim() ? null : "Give an address first"}>
            Add the webhook
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
