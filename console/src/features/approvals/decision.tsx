import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Confirm, CopyAs, ErrorState, TextArea } from "../../ui/index.ts";
import { historyOf, waiting, type Details, type Verdict } from "./queries.ts";

const LONGEST_REASON = 2000;
const DONE: Readonly<Record<Verdict, string>> = { approve: "Approved", reject: "Rejected" };

/** Approve or reject, with a reason, the version that was looked at and no other. */
export function Decision({ details: { market }, onDecided, onLookAgain }: { details: Details; onDecided: () => void; onLookAgain: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [asking, setAsking] = useState<Verdict | null>(null);
  const key = useRef(newKey());
  const deciding = useMutation({
    mutationFn: (decision: Verdict) =>
      api.post("/api/v1/markets/{id}/approve", {
        path: { id: market.id },
        body: { decision, reason: reason.trim() },
        key: key.current,
        seen: market.version,
      }),
    onSuccess: async (_, decision) => {
      tell(DONE[decision], `${market.name} (${market.tokenSymbol})`);
      await client.invalidateQueries({ queryKey: historyOf(market.id).queryKey });
      void client.invalidateQueries({ queryKey: waiting.queryKey });
      onDecided();
    },
    onSettled: () => {
      // Another try is another intention: the reason may have changed, and the version with it.
      key.current = newKey();
      setAsking(null);
    },
  });
  const isStale = deciding.error instanceof ApiProblem && deciding.error.face === "stale";
  const missing = reason.trim() ? null : "Write a reason first";
  const blocked = isStale ? "Look again first" : missing;
  return (
    <div className="flex flex-col gap-3">
      <TextArea
        label="Reason"
        help="It stands in the sealed record, and the issuer reads it."
        maxLength={LONGEST_REASON}
        rows={4}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button tone="primary" className="flex-1" reason={blocked} busy={deciding.isPending} onClick={() => setAsking("approve")}>
          Approve
        </Button>
        <Button tone="danger" className="flex-1" reason={blocked} busy={deciding.isPending} onClick={() => setAsking("reject")}>
          Reject
        </Button>
      </div>
      {blocked ? <p className="text-[13px] text-muted">{blocked}.</p> : null}
      {deciding.error ? (
        <ErrorState error={deciding.error} action={isStale ? <Button small onClick={onLookAgain}>Look again</Button> : null} />
      ) : null}
      <div className="flex flex-wrap items-center gap-2 text-[13px] text-muted">
        The same as a request
        <CopyAs
          request={{
            method: "POST",
            path: `/api/v1/markets/${market.id}/approve`,
            body: { decision: "approve", reason: reason.trim() || "documents verified" },
            keyed: true,
          }}
        />
      </div>
      <Sure asking={asking} details={{ name: market.name, symbol: market.tokenSymbol, version: market.version, reason }} busy={deciding.isPending} onClose={() => setAsking(null)} onConfirm={(verdict) => deciding.mutate(verdict)} />
    </div>
  );
}

interface SureProps {
  readonly asking: Verdict | null;
  readonly details: { readonly name: string; readonly symbol: string; readonly version: number; readonly reason: string };
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onConfirm: (verdict: Verdict) => void;
}

function Sure({ asking, details: { name, symbol, version, reason }, busy, onClose, onConfirm }: SureProps) {
  if (asking === null) return null;
  const isApproval = asking === "approve";
  return (
    <Confirm
      open
      title={isApproval ? "Approve this market?" : "Reject this market?"}
      what={isApproval ? `Approve version ${version}` : `Reject version ${version}`}
      tone={isApproval ? "primary" : "danger"}
      busy={busy}
      onClose={onClose}
      onConfirm={() => onConfirm(asking)}
    >
      <p dir="auto">
        <strong>{name}</strong> ({symbol})
      </p>
      <p className="mt-2">
        {isApproval
          ? "Its token is deployed at once and the pair opens by itself. This cannot be taken back; a market can be paused later."
          : "It ends here: the issuer has to register anew."}
      </p>
      <p className="mt-2 text-muted" dir="auto">
        Reason: {reason}
      </p>
    </Confirm>
  );
}
