import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { lines } from "../../domain/free_form.ts";
import { sentence } from "../../domain/words.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Button, EmptyState, Facts, Loaded, Select, Status, Time } from "../../ui/index.ts";

type Wanted = "success" | "failed" | "skipped";
type Event = Schemas["ProcessedEventAnswer"];

/** What the permission service has told, by webhook or asked for, and what became of it. */
export function Events() {
  const [status, setStatus] = useState<Wanted | "">("");
  const asked = useQuery({
    queryKey: ["operations", "events", status],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/admin/processed-events", { query: { limit: 100, ...(status ? { status } : {}) }, signal })).data,
    refetchInterval: 5_000,
  });
  const retrying = useMutation({
    mutationFn: (id: string) => api.post("/api/v1/admin/processed-events/{id}/retry", { path: { id } }),
    onSuccess: ({ status: outcome }) => {
      tell("Taken up again", sentence(outcome));
      void asked.refetch();
    },
    onError: tellProblem,
  });
  return (
    <>
      <div className="border-b border-line p-4">
        <Select className="sm:max-w-64" label="Which events" value={status} onChange={({ target }) => setStatus(target.value as Wanted | "")}>
          <option value="">All, newest first</option>
          <option value="failed">Failed</option>
          <option value="success">Carried out</option>
          <option value="skipped">Left alone</option>
        </Select>
      </div>
      <Loaded of={asked}>
        {(events) =>
          events.length > 0 ? (
            <ul aria-label="Events from outside">
              {events.map((event) => (
                <OneEvent key={event.eventId} event={event} busy={retrying.isPending} onRetry={() => retrying.mutate(event.eventId)} />
              ))}
            </ul>
          ) : (
            <EmptyState title="No event">Decisions of the permission service arrive here.</EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

function OneEvent({ event, busy, onRetry }: { event: Event; busy: boolean; onRetry: () => void }) {
  return (
    <li className="border-b border-line last:border-0">
      <details>
        <summary className="flex flex-wrap items-baseline gap-x-3 px-4 py-2 hover:bg-raised">
          <Status of={event.processingStatus} />
          <span className="font-medium">{sentence(event.eventType)}</span>
          <span className="text-[13px] text-muted">
            from {event.source} by {event.receivedVia}, <Time at={event.receivedAt} shape="relative" />
          </span>
        </summary>
        <div className="flex flex-col gap-3 border-t border-line bg-bg px-4 py-3">
          {event.processingError ? <p className="text-down">{event.processingError}</p> : null}
          <Facts facts={[["Event", event.eventId], ["Tries", String(event.attempts)], ...lines(event.payload), ...lines(event.context)]} />
          {event.processingStatus === "failed" ? (
            <Button small className="self-start" busy={busy} onClick={onRetry}>
              Take it up again
            </Button>
          ) : null}
        </div>
      </details>
    </li>
  );
}
