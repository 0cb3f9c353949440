import { announcements } from "../state/announcements.ts";
import { useStore } from "../state/store.ts";
import { closeToast, toasts, type Toast } from "../state/toasts.ts";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";
import { CopyButton } from "./copy.tsx";

const EDGE = { good: "border-l-up", bad: "border-l-down", info: "border-l-accent" } as const;

export function Toaster() {
  const shown = useStore(toasts);
  return (
    <div className="no-print fixed right-3 bottom-16 z-50 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2 sm:bottom-4">
      {shown.map((toast) => (
        <Card key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function Card({ toast }: { toast: Toast }) {
  return (
    <div className={classes("flex gap-2 rounded-md border border-l-4 border-line bg-panel px-3 py-2 shadow-lg", EDGE[toast.tone])} data-toast={toast.tone}>
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{toast.title}</p>
        {toast.detail ? <p className="text-muted">{toast.detail}</p> : null}
        {toast.requestId ? <RequestId id={toast.requestId} /> : null}
      </div>
      <Button tone="quiet" small onClick={() => closeToast(toast.id)} aria-label="Close this message">
        ✕
      </Button>
    </div>
  );
}

/** What support asks for first. */
export function RequestId({ id }: { id: string }) {
  return (
    <p className="mt-1 flex items-center gap-1 text-[12px] text-muted">
      Request <code className="font-mono break-all">{id}</code>
      <CopyButton text={id} label="Copy the request id" />
    </p>
  );
}

/** Read aloud as it changes. It is always there: a region that appears with its text is not read. */
export function Announcer() {
  const { text, number } = useStore(announcements);
  return (
    <div role="status" aria-live="polite" className="sr-only" data-testid="announcer">
      {/* The same words twice are news twice. */}
      <span key={number}>{text}</span>
    </div>
  );
}
