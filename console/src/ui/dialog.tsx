import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button, type ButtonTone } from "./button.tsx";

interface Props {
  readonly open: boolean;
  readonly title: ReactNode;
  readonly onClose: () => void;
  /** For tables. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** The browser's own modal dialog: focus stays inside, Escape closes, and focus goes back where it was. */
export function Dialog({ open, title, onClose, wide, children }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!open || !element) return undefined;
    element.showModal();
    // Where a dialog is for typing, one types at once; else its first control has the focus.
    element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => element.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      className={`m-auto ${wide ? "w-[min(64rem,calc(100vw-1.5rem))]" : "w-[min(34rem,calc(100vw-1.5rem))]"} rounded-lg border border-line bg-panel p-0 shadow-2xl`}
    >
      <div className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        <Button tone="quiet" small onClick={onClose} aria-label="Close">
          ✕
        </Button>
      </div>
      <div className="p-4">{children}</div>
    </dialog>
  );
}

interface ConfirmProps extends Omit<Props, "children"> {
  readonly what: string;
  readonly tone?: ButtonTone;
  readonly busy?: boolean;
  readonly reason?: string | null;
  readonly onConfirm: () => void;
  readonly children: ReactNode;
}

/** Asks before something that cannot be taken back; its button says what will be done. */
export function Confirm({ what, tone = "danger", busy, reason, onConfirm, children, ...rest }: ConfirmProps) {
  return (
    <Dialog {...rest}>
      <div className="flex flex-col gap-4">
        <div>{children}</div>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={rest.onClose}>Go back</Button>
          <Button tone={tone} onClick={onConfirm} {...(busy ? { busy } : {})} reason={reason}>
            {what}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
