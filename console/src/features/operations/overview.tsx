import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { grouped } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { Badge, classes, Loaded, Notice, Panel, Skeleton, Stat, Time } from "../../ui/index.ts";
import type { Operations } from "./live.ts";

const SLOW_RELAY_MS = 10_000;

const readiness = ask({
  queryKey: ["operations", "readiness"],
  queryFn: async ({ signal }) => (await api.get("/readyz", { signal })) as { checks: Readonly<Record<string, string>> },
  refetchInterval: 5_000,
});

/** Whether anything needs a person, at one glance: zero is good everywhere. */
export function Overview({ told, isLate }: { told: Operations | null; isLate: boolean }) {
  const ready = useQuery(readiness);
  return (
    <Panel>
      <div className="flex flex-col gap-4">
        <Loaded of={ready} waiting={<Skeleton className="h-6 w-64" />}>
          {({ checks }) => (
            <ul className="flex flex-wrap gap-x-4 gap-y-1" aria-label="What it depends on">
              {Object.entries(checks).map(([name, state]) => (
                <li key={name} className="inline-flex items-center gap-1.5">
                  {sentence(name)} <Badge tone={state === "ok" ? "good" : "bad"}>{state === "ok" ? "OK" : state}</Badge>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
        {told && isLate ? (
          <Notice tone="warn" title="Nothing is heard from the installation">
            These figures are of <Time at={told.ts} />. What has happened since is not in them.
          </Notice>
        ) : null}
        {told ? <Figures now={told} isLate={isLate} /> : <Skeleton className="h-14 w-full" />}
      </div>
    </Panel>
  );
}

function Figures({ now, isLate }: { now: Operations; isLate: boolean }) {
  const pending = now.queues.reduce((sum, queue) => sum + queue.pending, 0);
  const failed = now.queues.reduce((sum, queue) => sum + queue.failed, 0);
  const oldest = now.queues.map(({ oldestPendingAt }) => oldestPendingAt).filter((at) => at !== null).sort()[0] ?? null;
  const slowest = Object.entries(now.relayLagMs).sort(([, a], [, b]) => b - a)[0];
  const lane = Object.values(now.lane).reduce((sum, count) => sum + count, 0);
  return (
    <div className={classes("grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-7", isLate && "opacity-45 grayscale")} data-stale={isLate || undefined}>
      <Stat
        label="Orders that are stuck"
        hint={now.stuck.since ? <>the first <Time at={now.stuck.since} shape="relative" /></> : "or cancels, for ten seconds"}
      >
        <Zero count={now.stuck.orders + now.stuck.commands} />
      </Stat>
      <Stat label="Jobs that failed">
        <Zero count={failed} />
      </Stat>
      <Stat label="Jobs that wait" hint={oldest ? <>oldest <Time at={oldest} shape="relative" /></> : null}>
        {grouped(String(pending))}
      </Stat>
      <Stat label="Relay lag" hint={slowest ? `${slowest[0]}, the slowest sink` : "no sink"}>
        <span className={slowest && slowest[1] > SLOW_RELAY_MS ? "text-warn" : ""}>{grouped(String(slowest?.[1] ?? 0))} ms</span>
      </Stat>
      <Stat label="Chain lane" hint="transactions under way">
        {lane}
      </Stat>
      <Stat label="Block seen" hint={now.watcher?.stoppedReason ? <span className="text-down">{now.watcher.stoppedReason}</span> : "the watcher runs"}>
        {now.watcher ? grouped(String(now.watcher.block)) : "–"}
      </Stat>
      <Stat label="Ledger against vault" hint={now.reconciliation ? <Time at={now.reconciliation.comparedAt} shape="relative" /> : "not compared yet"}>
        {now.reconciliation ? <Zero count={now.reconciliation.breaks}>breaks</Zero> : "–"}
      </Stat>
    </div>
  );
}

function Zero({ count, children }: { count: number; children?: ReactNode }) {
  return (
    <span className={count > 0 ? "text-down" : ""}>
      {grouped(String(count))} {children}
    </span>
  );
}
