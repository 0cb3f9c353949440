import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type ComponentProps } from "react";
import { newKey } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Confirm, CopyAs, ErrorState, TextArea } from "../../ui/index.ts";
import type { Verdict } from "./queries.ts";

const LONGEST_REASON = 2000;
/** Somebody else was faster: with another version of it, or with a verdict. */
const OVERTAKEN: ReadonlySet<string> = new Set(["stale", "conflict"]);
const DONE: Readonly<Record<Verdict, string>> = { approve: "Approved", reject: "Rejected" };

/** What is decided on: how it is called, what follows from each verdict, and the request that carries it. */
export interface Matter {
  readonly kind: "market" | "mint";
  readonly name: string;
  readonly about: string;
  /** Which version is decided on, where there are several. */
  readonly version?: number;
  readonly approval: string;
  readonly rejection: string;
  /** Why this officer cannot decide, whatever they write. */
  readonly barred: string | null;
  readonly send: (verdict: Verdict, reason: string, key: string) => Promise<unknown>;
  readonly same: (reason: string) => ComponentProps<typeof CopyAs>["request"];
}

interface Props {
  readonly matter: Matter;
  readonly onDecided: () => Promise<void>;
  readonly onLookAgain: () => void;
}

/** Approve or reject, with a reason, what was looked at and nothing else. */
export function Decision({ matter, onDecided, onLookAgain }: Props) {
  const [reason, setReason] = useState("");
  const [asking, setAsking] = useState<Verdict | null>(null);
  const key = useRef(newKey());
  const deciding = useMutation({
    mutationFn: (verdict: Verdict) => matter.send(verdict, reason.trim(), key.current),
    onSuccess: async (_, verdict) => {
      tell(DONE[verdict], `${matter.name} (${matter.about})`);
      await onDecided();
    },
    onSettled: () => {
      // Another try is another intention: the reason may have changed, and the version with it.
      key.current = newKey();
      setAsking(null);
    },
  });
  const isStale = deciding.error instanceof ApiProblem && OVERTAKEN.has(deciding.error.face);
  const blocked = matter.barred ?? (isStale ? "Look again first" : reason.trim() ? null : "Write a reason first");
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
        <CopyAs request={matter.same(reason.trim() || "documents verified")} />
      </div>
      <Sure asking={asking} matter={matter} reason={reason} busy={deciding.isPending} onClose={() => setAsking(null)} onConfirm={(verdict) => deciding.mutate(verdict)} />
    </div>
  );
}

interface SureProps {
  readonly asking: Verdict | null;
  readonly matter: Matter;
  readonly reason: string;
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onConfirm: (verdict: Verdict) => void;
}

function Sure({ asking, matter: { kind, name, about, version, approval, rejection }, reason, busy, onClose, onConfirm }: SureProps) {
  if (asking === null) return null;
  const isApproval = asking === "approve";
  const verb = isApproval ? "Approve" : "Reject";
  return (
    <Confirm
      open
      title={`${verb} this ${kind}?`}
      what={version === undefined ? `${verb} it` : `${verb} version ${version}`}
      tone={isApproval ? "primary" : "danger"}
      busy={busy}
      onClose={onClose}
      onConfirm={() => onConfirm(asking)}
    >
      <p dir="auto">
        <strong>{name}</strong> ({about})
      </p>
      <p className="mt-2">{isApproval ? approval : rejection}</p>
      <p className="mt-2 text-muted" dir="auto">
        Reason: {reason}
      </p>
    </Confirm>
  );
}
