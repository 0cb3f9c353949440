/** What stands where content is not there yet, is not there at all, or was refused. */

import { useEffect, useState, type ReactNode } from "react";
import { ApiProblem, type Face } from "../api/problem.ts";
import { WalletProblem, type WalletFace } from "../features/wallet/provider.ts";
import { useSession } from "../state/session.ts";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";
import { Notice, type NoticeTone } from "./panel.tsx";
import { RequestId } from "./toaster.tsx";

export function Skeleton({ className = "h-4 w-full" }: { className?: string }) {
  return <div aria-hidden="true" className={classes("skeleton", className)} />;
}

/** Rows that are on their way: the height of what will stand there, so that nothing jumps. */
export function SkeletonRows({ rows = 6, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div className="flex flex-col gap-3 p-4" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, place) => (
        <Skeleton key={place} className="h-5 w-full" />
      ))}
    </div>
  );
}

/** Nothing is here: what would be, and how to have it. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <p className="font-semibold">{title}</p>
      {children ? <div className="max-w-prose text-muted">{children}</div> : null}
      {action}
    </div>
  );
}

const ADVICE: Readonly<Record<Face, readonly [NoticeTone, string]>> = {
  offline: ["warn", "Nothing was sent, or its answer was lost. We ask again by ourselves; look before you repeat an order."],
  unavailable: ["warn", "A part of the exchange does not answer just now. Nothing was done; try again in a moment."],
  "rate-limited": ["warn", "Too many requests in a minute. Cancels are counted separately and still go through."],
  "signed-out": ["info", "Sign in to see this."],
  forbidden: ["bad", "Your role does not allow this. An administrator can give it to you."],
  restricted: ["bad", "The law or an order of the compliance office stands in the way. Compliance can say more."],
  verification: ["warn", "Your verification does not cover this. Compliance renews it; what you hold stays yours."],
  funds: ["warn", "There is not enough available. Deposit, or cancel an order that holds money."],
  price: ["warn", "The pair does not take this price or size now. Change it and look at the receipt again."],
  closed: ["warn", "This is not open for that now. Orders that rest stay, and cancels work."],
  stale: ["warn", "Somebody has changed this since you looked. Load it again and decide on what it says now."],
  conflict: ["warn", "It is not in a state for this, or was done already. Load it again to see where it stands."],
  absent: ["info", "It does not exist, or it is not yours to see."],
  invalid: ["bad", "Something in what was sent is not right."],
  bug: ["bad", "This is our fault, and it has been logged. Look before you repeat it."],
};

const WALLET: Readonly<Record<WalletFace, readonly [NoticeTone, string]>> = {
  rejected: ["info", "Declined in the wallet"],
  "wrong-chain": ["warn", "The wallet is on another chain"],
  switched: ["warn", "The wallet is on another account"],
  absent: ["warn", "No wallet"],
  busy: ["info", "The wallet is waiting for you"],
  failed: ["bad", "The wallet could not do it"],
};

/** A refusal with its own face: what happened, what it means, what to do, and the id that support asks for. */
export function ErrorState({ error, onRetry, action }: { error: unknown; onRetry?: () => void; action?: ReactNode }) {
  if (error instanceof WalletProblem) {
    const [tone, title] = WALLET[error.face];
    return (
      <div role="alert" data-face={`wallet-${error.face}`}>
        <Notice tone={tone} title={title}>
          <p>{error.message}</p>
        </Notice>
      </div>
    );
  }
  if (!(error instanceof ApiProblem)) {
    return (
      <div role="alert" data-face="bug">
        <Notice tone="bad" title="The page has stumbled">
          <p>{error instanceof Error ? error.message : "Load it again; nothing was sent."}</p>
        </Notice>
      </div>
    );
  }
  return <Refused problem={error} {...(onRetry ? { onRetry } : {})} action={action} />;
}

function Refused({ problem, onRetry, action }: { problem: ApiProblem; onRetry?: () => void; action?: ReactNode }) {
  const [tone, advice] = ADVICE[problem.face];
  const wait = useCountdown(problem.retryAt);
  const { standing } = useSession();
  // Whoever has come back since is not told to sign in.
  if (problem.face === "signed-out" && standing === "signed-in") return null;
  return (
    <div role="alert" data-face={problem.face} data-code={problem.code}>
      <Notice tone={tone} title={problem.title}>
        {problem.detail ? <p>{problem.detail}</p> : null}
        <p className="text-muted">{advice}</p>
        {problem.fields.length > 0 ? (
          <ul className="mt-1 list-disc pl-5">
            {problem.fields.map((field) => (
              <li key={`${field.pointer}${field.code}`}>
                <code className="font-mono text-[13px]">{field.pointer}</code> {field.detail}
              </li>
            ))}
          </ul>
        ) : null}
        {wait > 0 ? <p data-testid="countdown">Try again in {wait} s.</p> : null}
        {problem.requestId ? <RequestId id={problem.requestId} /> : null}
        {onRetry || action ? (
          <div className="mt-2 flex flex-wrap gap-2">
            {onRetry ? (
              <Button small onClick={onRetry} reason={wait > 0 ? `In ${wait} s` : null}>
                {wait > 0 ? `Try again in ${wait} s` : "Try again"}
              </Button>
            ) : null}
            {action}
          </div>
        ) : null}
      </Notice>
    </div>
  );
}

const SECOND_MS = 1_000;

/** Whole seconds until a moment, counted down. */
export function useCountdown(until: number | null): number {
  const left = (): number => (until === null ? 0 : Math.max(0, Math.ceil((until - Date.now()) / SECOND_MS)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (until === null) return undefined;
    const timer = setInterval(() => setSeconds(left()), SECOND_MS / 4);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

/** A question's answer, or what stands there until then. What was known stays while it is asked again. */
export function Loaded<T>({ of, waiting, children }: { of: Asked<T>; waiting?: ReactNode; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) {
    return (
      <div className="p-4">
        <ErrorState error={of.error} onRetry={() => void of.refetch()} />
      </div>
    );
  }
  return <>{waiting ?? <SkeletonRows />}</>;
}
