import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { lines } from "../../domain/free_form.ts";
import { sentence } from "../../domain/words.ts";
import { ReasonDialog } from "../staff/reason_dialog.tsx";
import { Button, EmptyState, Facts, Hex, Loaded, Nothing, Panel, Select, Status, Time } from "../../ui/index.ts";

type Job = Schemas["JobAnswer"];
type Wanted = "pending" | "done" | "failed" | "retried" | "parked";
type Step = { readonly what: "retry" | "park"; readonly job: Job };

const STATUSES: readonly Wanted[] = ["failed", "parked", "pending", "retried", "done"];

/** The jobs of one queue, newest first, and what an operator may do with them. */
export function Jobs({ queue, onClose }: { queue: string; onClose: () => void }) {
  const client = useQueryClient();
  const [status, setStatus] = useState<Wanted | "">("");
  const [step, setStep] = useState<Step | null>(null);
  const asked = useJobs(queue, status);
  return (
    <Panel
      className="m-3"
      flush
      title={`Jobs of ${queue}`}
      actions={
        <span className="flex flex-wrap items-center gap-2">
          <Select label="Which jobs" hideLabel value={status} onChange={({ target }) => setStatus(target.value as Wanted | "")}>
            <option value="">All, newest first</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {sentence(one)}
              </option>
            ))}
          </Select>
          <Button small tone="quiet" onClick={onClose} aria-label={`Close the jobs of ${queue}`}>
            ✕
          </Button>
        </span>
      }
    >
      <Loaded of={asked}>
        {({ pages }) => {
          const jobs = pages.flatMap(({ data }) => data);
          if (jobs.length === 0) return <EmptyState title="No such job">Jobs of the clock leave no record unless they fail.</EmptyState>;
          return (
            <ul aria-label={`Jobs of ${queue}`}>
              {jobs.map((job) => (
                <OneJob key={job.jobId} job={job} onStep={(what) => setStep({ what, job })} />
              ))}
            </ul>
          );
        }}
      </Loaded>
      {asked.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            Show older
          </Button>
        </div>
      ) : null}
      {step ? <Ask key={`${step.what} ${step.job.jobId}`} queue={queue} step={step} onDone={() => void client.invalidateQueries({ queryKey: ["operations"] })} onClose={() => setStep(null)} /> : null}
    </Panel>
  );
}

function useJobs(queue: string, status: Wanted | "") {
  return useInfiniteQuery({
    queryKey: ["operations", "jobs", queue, status],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: 25, ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      return api.get("/api/v1/admin/queues/{name}/jobs", { path: { name: queue }, query, signal });
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: 5_000,
  });
}

function OneJob({ job, onStep }: { job: Job; onStep: (what: Step["what"]) => void }) {
  const mayPark = job.status === "pending" || job.status === "failed";
  const mayRetry = job.status === "failed" || job.status === "parked";
  return (
    <li className="border-b border-line last:border-0">
      <details>
        <summary className="flex flex-wrap items-baseline gap-x-3 px-4 py-2 hover:bg-raised">
          <Status of={job.status} />
          <span className="font-medium">{job.name}</span>
          <code className="min-w-0 font-mono text-[13px] text-muted">{job.jobId}</code>
          <span className="text-[13px] text-muted">
            <Time at={job.createdAt} shape="relative" />
          </span>
        </summary>
        <div className="flex flex-col gap-3 border-t border-line bg-bg px-4 py-3">
          <Facts
            facts={[
              ["Made", <Time at={job.createdAt} />],
              ["Ended", <Time at={job.finishedAt} />],
              ["Tries", String(job.attemptsMade)],
              ["Request", job.correlationId ? <Hex value={job.correlationId} whole /> : <Nothing />],
              ["Repeats", job.retryOf ?? <Nothing said="no other" />],
              ...lines(job.data),
              ...(job.lastError ? [["Last error", <span className="text-down">{job.lastError}</span>] as const] : []),
              ...(job.parkedReason ? [["Parked because", job.parkedReason] as const] : []),
            ]}
          />
          {mayPark || mayRetry ? (
            <span className="flex flex-wrap gap-2">
              {mayRetry ? (
                <Button small tone="primary" onClick={() => onStep("retry")}>
                  Retry
                </Button>
              ) : null}
              {mayPark ? (
                <Button small onClick={() => onStep("park")}>
                  Park
                </Button>
              ) : null}
            </span>
          ) : null}
        </div>
      </details>
    </li>
  );
}

function Ask({ queue, step: { what, job }, onDone, onClose }: { queue: string; step: Step; onDone: () => void; onClose: () => void }) {
  const path = { queue, id: job.jobId };
  if (what === "park") {
    return (
      <ReasonDialog
        title="Park this job?"
        what="Park it"
        done="The job is parked"
        reason="required"
        onDo={(reason, key) => api.post("/api/v1/admin/jobs/{queue}/{id}/park", { path, body: { reason }, key })}
        onDone={onDone}
        onClose={onClose}
      >
        <p>
          <strong>{job.name}</strong> is not run any more, and counts as no failure, until somebody retries it. What waits for it goes on waiting.
        </p>
      </ReasonDialog>
    );
  }
  return (
    <ReasonDialog
      title="Retry this job?"
      what="Retry it"
      done="The job is asked for again"
      reason="optional"
      onDo={(reason, key) => api.post("/api/v1/admin/jobs/{queue}/{id}/retry", { path, body: { reason }, key })}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        <strong>{job.name}</strong> is asked for again as a new job. It cannot take effect twice: what was done is left alone.
      </p>
    </ReasonDialog>
  );
}
