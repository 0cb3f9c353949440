import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { ReasonDialog } from "../staff/reason_dialog.tsx";
import { Badge, Button, Dialog, EmptyState, Loaded, Notice, Panel, Time } from "../../ui/index.ts";
import { Deliveries } from "./deliveries.tsx";
import { NewWebhook } from "./new_webhook.tsx";
import { ShownOnce } from "./shown_once.tsx";

type Webhook = Schemas["MyWebhookAnswer"];

const webhooks = ask({
  queryKey: ["developers", "webhooks"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/me/webhooks", { signal })).data,
  refetchInterval: 10_000,
});

/** Where what happens to me is posted, what was posted, and again on demand. */
export function Webhooks() {
  const client = useQueryClient();
  const asked = useQuery(webhooks);
  const [isAdding, setIsAdding] = useState(false);
  const refresh = (): void => void client.invalidateQueries({ queryKey: ["developers", "webhooks"] });
  return (
    <Panel
      flush
      title="Webhooks"
      actions={
        <Button small tone="primary" onClick={() => setIsAdding(true)}>
          New webhook
        </Button>
      }
    >
      <Loaded of={asked}>
        {(all) =>
          all.length > 0 ? (
            <ul aria-label="Webhooks">
              {all.map((webhook) => (
                <OneWebhook key={webhook.id} webhook={webhook} onChanged={refresh} />
              ))}
            </ul>
          ) : (
            <EmptyState title="No webhook yet">Fills, settlements, deposits and decisions are posted to an address of yours, signed.</EmptyState>
          )
        }
      </Loaded>
      {isAdding ? <NewWebhook onMade={refresh} onClose={() => setIsAdding(false)} /> : null}
    </Panel>
  );
}

function OneWebhook({ webhook, onChanged }: { webhook: Webhook; onChanged: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [isRemoving, setIsRemoving] = useState(false);
  const path = { id: webhook.id };
  const testing = useMutation({
    mutationFn: () => api.post("/api/v1/me/webhooks/{id}/test", { path, key: newKey() }),
    onSuccess: () => {
      tell("A test is posted", "It stands among the messages in a moment.");
      setIsOpen(true);
    },
    onError: tellProblem,
  });
  const enabling = useMutation({
    mutationFn: () => api.post("/api/v1/me/webhooks/{id}/enable", { path, key: newKey() }),
    onSuccess: () => {
      tell("The webhook is on again");
      onChanged();
    },
    onError: tellProblem,
  });
  return (
    <li className="border-b border-line last:border-0">
      <div className="flex flex-col gap-2 px-4 py-3">
        <div className="flex flex-wrap items-baseline justify-between gap-2">
          <span className="min-w-0">
            <code className="font-mono text-[13px]">{webhook.url}</code> {webhook.enabled ? <Badge tone="good">On</Badge> : <Badge tone="bad">Off</Badge>}
          </span>
          <span className="flex flex-wrap gap-2">
            {webhook.enabled ? (
              <Button small busy={testing.isPending} onClick={() => testing.mutate()}>
                Post a test
              </Button>
            ) : (
              <Button small busy={enabling.isPending} onClick={() => enabling.mutate()}>
                Switch on
              </Button>
            )}
            <Button small aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
              Messages
            </Button>
            <Rotate webhook={webhook} onChanged={onChanged} />
            <Button small onClick={() => setIsRemoving(true)} aria-label={`Remove ${webhook.url}`}>
              Remove
            </Button>
          </span>
        </div>
        <p className="text-[13px] text-muted">
          {webhook.description ? `${webhook.description} · ` : ""}
          {webhook.kinds.length > 0 ? webhook.kinds.join(", ") : "everything that happens to me"} · since <Time at={webhook.createdAt} shape="day" />
        </p>
        {webhook.failingSince ? (
          <Notice tone="warn">
            It takes nothing since <Time at={webhook.failingSince} />. After three days it is switched off.
          </Notice>
        ) : null}
        {webhook.formerSecretUntil ? (
          <p className="text-[13px] text-muted">
            The former secret signs too until <Time at={webhook.formerSecretUntil} />.
          </p>
        ) : null}
      </div>
      {isOpen ? <Deliveries webhookId={webhook.id} /> : null}
      {isRemoving ? (
        <ReasonDialog
          title="Remove this webhook?"
          what="Remove it"
          done="The webhook is removed"
          tone="danger"
          reason="none"
          onDo={(_, key) => api.delete("/api/v1/me/webhooks/{id}", { path, key })}
          onDone={onChanged}
          onClose={() => setIsRemoving(false)}
        >
          <p>What waits to be posted is not posted any more.</p>
        </ReasonDialog>
      ) : null}
    </li>
  );
}

function Rotate({ webhook, onChanged }: { webhook: Webhook; onChanged: () => void }) {
  const rotating = useMutation({
    mutationFn: () => api.post("/api/v1/me/webhooks/{id}/rotate", { path: { id: webhook.id }, key: newKey() }),
    onSuccess: onChanged,
    onError: tellProblem,
  });
  return (
    <>
      <Button small busy={rotating.isPending} onClick={() => rotating.mutate()}>
        New secret
      </Button>
      {rotating.data ? (
        <Dialog open title="New secret" onClose={() => rotating.reset()}>
          <ShownOnce secret={rotating.data.secret} what="the secret">
            For a day both sign, so that nothing is lost while you change it.
          </ShownOnce>
        </Dialog>
      ) : null}
    </>
  );
}
