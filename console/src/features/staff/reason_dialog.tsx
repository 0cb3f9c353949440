import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import { newKey } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Confirm, ErrorState, TextArea, type ButtonTone } from "../../ui/index.ts";

interface Props {
  readonly title: string;
  /** What the button says, and what is told when it is done. */
  readonly what: string;
  readonly done: string;
  readonly tone?: ButtonTone;
  /** Where the API takes no reason, none is asked for. */
  readonly reason: "required" | "optional" | "none";
  readonly children: ReactNode;
  readonly onDo: (reason: string, key: string) => Promise<unknown>;
  readonly onDone: () => void;
  readonly onClose: () => void;
  /** Where it stands for a version that was seen: look at the newest. */
  readonly onLookAgain?: () => void;
}

/** Something that staff do to what belongs to others: its effect, a reason, and one key for all tries of one intention. */
export function ReasonDialog({ title, what, done, tone = "primary", reason: wants, children, onDo, onDone, onClose, onLookAgain }: Props) {
  const [reason, setReason] = useState("");
  const key = useRef(newKey());
  const doing = useMutation({
    mutationFn: () => onDo(reason.trim(), key.current),
    onSuccess: () => {
      tell(done);
      onDone();
      onClose();
    },
  });
  const isStale = doing.error instanceof ApiProblem && doing.error.face === "stale";
  const isMissing = wants === "required" && reason.trim() === "";
  return (
    <Confirm
      open
      title={title}
      what={what}
      tone={tone}
      busy={doing.isPending}
      reason={isMissing ? "Write a reason first" : isStale ? "Look again first" : null}
      onClose={onClose}
      onConfirm={() => doing.mutate()}
    >
      <div className="flex flex-col gap-3">
        {children}
        {wants === "none" ? null : (
          <TextArea
            label={wants === "required" ? "Reason" : "Reason (may be left out)"}
            help="It stands in the audit log."
            maxLength={1000}
            value={reason}
            onChange={({ target }) => {
              setReason(target.value);
              key.current = newKey();
            }}
          />
        )}
        {doing.error ? (
          <ErrorState error={doing.error} action={isStale && onLookAgain ? <Button small onClick={onLookAgain}>Look again</Button> : null} />
        ) : null}
      </div>
    </Confirm>
  );
}
