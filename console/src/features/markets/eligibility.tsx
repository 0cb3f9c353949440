import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client.ts";
import { checkText, reasonText } from "../../domain/reasons.ts";
import { useSession } from "../../state/session.ts";
import { EmptyState, Loaded, Notice, Panel } from "../../ui/index.ts";
import { eligibility } from "./queries.ts";

/** Whether I may hold this token, check by check; and what to do where I may not. */
export function Eligibility({ token }: { token: Schemas["TokenAnswer"] }) {
  const { session } = useSession();
  const asked = useQuery({ ...eligibility(token.id, session?.userId ?? ""), enabled: session !== null });
  return (
    <Panel title="Can I trade this?">
      {session === null ? (
        <EmptyState title="Sign in to see it for yourself" action={<Link to="/sign-in" className="text-accent underline underline-offset-2">Sign in</Link>}>
          Who may hold this token depends on who you are.
        </EmptyState>
      ) : (
        <Loaded of={asked}>{(told) => <Verdict told={told} symbol={token.symbol} />}</Loaded>
      )}
    </Panel>
  );
}

function Verdict({ told, symbol }: { told: Schemas["PreviewAnswer"]; symbol: string }) {
  const mine = told.checks.filter(({ check }) => check === "pause" || check.startsWith("receiver."));
  return (
    <div className="flex flex-col gap-3" data-eligible={told.allowed}>
      {told.allowed ? (
        <Notice tone="good" title={`You may hold and trade ${symbol}`} />
      ) : (
        <Notice tone="warn" title={`You may not receive ${symbol} now`}>
          <p>{reasonText(told.reason)}</p>
          <p className="text-muted">Ask the compliance office to let you in. What you hold stays yours.</p>
        </Notice>
      )}
      <ul className="flex flex-col gap-1">
        {mine.map(({ check, reason }) => (
          <li key={check} className="flex items-baseline gap-2">
            <span aria-hidden="true" className={reason === 0 ? "text-up" : "text-down"}>
              {reason === 0 ? "✓" : "✕"}
            </span>
            <span>
              {checkText(check)}
              <span className="sr-only">{reason === 0 ? ": yes" : ": no"}</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
