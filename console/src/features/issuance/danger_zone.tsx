import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { hasRole, useMe, type Market } from "../../api/queries.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Confirm, ErrorState, Field, Notice } from "../../ui/index.ts";

type Act = "pause" | "resume" | "archive" | "activate";

const ACTS: Readonly<Record<Act, { title: string; about: string; done: string; from: string; office: "compliance" | "admin" }>> = {
  activate: {
    title: "Start the deployment again",
    about: "After a deployment that has failed for good. The factory on the chain takes each market once: nothing is deployed twice.",
    done: "The deployment has begun",
    from: "approved",
    office: "compliance",
  },
  pause: {
    title: "Pause trading",
    about: "New orders are refused. Orders that rest stay, cancels work, and what was traded settles.",
    done: "Paused",
    from: "active",
    office: "compliance",
  },
  resume: { title: "Resume trading", about: "New orders are taken again.", done: "Trading goes on", from: "paused", office: "compliance" },
  archive: {
    title: "Archive for good",
    about: "Open orders are cancelled and what they hold is released; what was traded settles; trading never begins again.",
    done: "Archived",
    from: "active",
    office: "admin",
  },
};

/** What cannot be taken back, or is felt by everybody who trades: apart from the rest, and each asked about once more. */
export function DangerZone({ market }: { market: Market }) {
  const who = useMe();
  const [asked, setAsked] = useState<Act | null>(null);
  const acts = (Object.keys(ACTS) as Act[]).filter((act) => act === "archive" || act === "pause" || ACTS[act].from === market.status);
  return (
    <div className="flex flex-col gap-3 p-4">
      {hasRole(who, "compliance", "admin") ? null : (
        <Notice>These are for offices other than the issuer's. Ask compliance to pause a market, an administrator to archive one.</Notice>
      )}
      <ul className="flex flex-col divide-y divide-line rounded-md border border-down">
        {acts.map((act) => (
          <li key={act} className="flex flex-wrap items-center justify-between gap-3 p-3">
            <div className="min-w-0 flex-1 basis-64">
              <p className="font-medium">{ACTS[act].title}</p>
              <p className="text-[13px] text-muted">{ACTS[act].about}</p>
            </div>
            <Button tone={act === "archive" ? "danger" : "plain"} reason={reasonAgainst(act, market, hasRole(who, ACTS[act].office, "admin"))} onClick={() => setAsked(act)}>
              {ACTS[act].title}
            </Button>
          </li>
        ))}
      </ul>
      {asked ? <Asked act={asked} market={market} onClose={() => setAsked(null)} /> : null}
    </div>
  );
}

function reasonAgainst(act: Act, market: Market, allowed: boolean): string | null {
  if (!allowed) return `This is for ${ACTS[act].office === "admin" ? "an administrator" : "compliance"}`;
  return market.status === ACTS[act].from ? null : `The market is ${market.status.replace("_", " ")}`;
}

function Asked({ act, market, onClose }: { act: Act; market: Market; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const key = useMemo(() => newKey(), [reason]);
  const doing = useMutation({
    mutationFn: () => {
      const given = { path: { id: market.id }, key, seen: market.version };
      return act === "activate" ? api.post("/api/v1/markets/{id}/activate", given) : api.post(`/api/v1/markets/{id}/${act}`, { ...given, body: { reason: reason.trim() } });
    },
    onSuccess: () => {
      tell(ACTS[act].done, market.name);
      void client.invalidateQueries({ queryKey: ["market"] });
      void client.invalidateQueries({ queryKey: ["markets"] });
      onClose();
    },
  });
  const missing = act !== "activate" && !reason.trim() ? "Say why" : act === "archive" && typed !== market.tokenSymbol ? `Write ${market.tokenSymbol}` : null;
  return (
    <Confirm open title={`${ACTS[act].title}?`} what={ACTS[act].title} tone={act === "archive" ? "danger" : "primary"} busy={doing.isPending} reason={missing} onClose={onClose} onConfirm={() => doing.mutate()}>
      <div className="flex flex-col gap-3">
        <p>{ACTS[act].about}</p>
        {act === "activate" ? null : <Field label="Why" value={reason} maxLength={1000} onChange={(event) => setReason(event.target.value)} />}
        {act === "archive" ? <Field label={`Write ${market.tokenSymbol} to be sure`} value={typed} onChange={(event) => setTyped(event.target.value)} /> : null}
        {doing.error ? <ErrorState error={doing.error} /> : null}
      </div>
    </Confirm>
  );
}
