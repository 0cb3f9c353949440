import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { tellProblem } from "../../state/toasts.ts";
import { Badge, Button, classes, Dialog, EmptyState, Facts, Loaded, Time } from "../../ui/index.ts";
import { notification } from "./questions.ts";

type Told = Schemas["NotificationAnswer"];

/** What I was told, newest first. */
export function Feed() {
  const client = useQueryClient();
  const [opened, setOpened] = useState<string | null>(null);
  const asked = useInfiniteQuery({
    queryKey: ["notifications", "feed"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => api.get("/api/v1/me/notifications", { query: pageParam ? { cursor: pageParam } : {}, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: 10_000,
  });
  const again = (): void => void client.invalidateQueries({ queryKey: ["notifications"] });
  const reading = useMutation({
    mutationFn: (id: string) => api.post("/api/v1/me/notifications/{id}/read", { path: { id }, key: newKey() }),
    onSuccess: again,
  });
  const readingAll = useMutation({
    mutationFn: (upTo: string) => api.post("/api/v1/me/notifications/read-all", { body: { upTo }, key: newKey() }),
    onSuccess: again,
    onError: tellProblem,
  });
  const open = (told: Told): void => {
    setOpened(told.id);
    if (told.readAt === null) reading.mutate(told.id);
  };
  return (
    <Loaded of={asked}>
      {({ pages }) => {
        const all = pages.flatMap((page) => page.data);
        const newest = all[0];
        return (
          <>
            <div className="flex justify-end border-b border-line p-2">
              <Button small busy={readingAll.isPending} reason={all.some(({ readAt }) => readAt === null) ? null : "Everything is read"} onClick={() => newest && readingAll.mutate(newest.id)}>
                Mark all as read
              </Button>
            </div>
            {all.length === 0 ? <EmptyState title="Nothing has happened yet">Fills, settlements, money that comes and goes, and what concerns your safety stand here.</EmptyState> : null}
            <ul aria-label="Notifications" className="divide-y divide-line">
              {all.map((told) => (
                <li key={told.id}>
                  <Entry told={told} onOpen={() => open(told)} />
                </li>
              ))}
            </ul>
            {asked.hasNextPage ? (
              <div className="flex justify-center border-t border-line p-3">
                <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
                  Show more
                </Button>
              </div>
            ) : null}
            <Dialog open={opened !== null} title="What happened" onClose={() => setOpened(null)}>
              {opened ? <Whole id={opened} /> : null}
            </Dialog>
          </>
        );
      }}
    </Loaded>
  );
}

function Entry({ told, onOpen }: { told: Told; onOpen: () => void }) {
  const isNew = told.readAt === null;
  return (
    <button type="button" onClick={onOpen} className="flex w-full items-baseline gap-3 px-4 py-2.5 text-left hover:bg-raised">
      <span aria-hidden="true" className={classes("size-2 shrink-0 rounded-full", isNew ? "bg-accent" : "bg-transparent")} />
      <span className="min-w-0 flex-1">
        <span className={isNew ? "font-semibold" : ""}>{told.title}</span>
        {isNew ? <span className="sr-only"> (new)</span> : null}
        {told.times > 1 ? <> <Badge>{`${told.times} times`}</Badge></> : null}
        <span className="block text-muted">{told.body}</span>
      </span>
      <span className="shrink-0 text-[13px] text-muted">
        <Time at={told.occurredAt} shape="relative" />
      </span>
    </button>
  );
}

/** With what was signed for it, as the server reads it back from the signature: not as this page has shown it. */
function Whole({ id }: { id: string }) {
  const asked = useQuery(notification(id));
  return (
    <Loaded of={asked}>
      {(told) => (
        <div className="flex flex-col gap-4">
          <div>
            <p className="font-semibold">{told.title}</p>
            <p className="text-muted">{told.body}</p>
          </div>
          <Facts facts={[["When", <Time key="t" at={told.occurredAt} />], ...told.details.map(({ label, value }) => [label, value] as const)]} />
          {told.signed.length > 0 ? (
            <section className="rounded-md border border-line p-3">
              <h3 className="mb-2 text-[13px] font-medium text-muted">What you have signed for it</h3>
              <Facts facts={told.signed.map(({ label, value }) => [label, <code key={label} className="font-mono text-[13px] break-all">{value}</code>])} />
            </section>
          ) : null}
        </div>
      )}
    </Loaded>
  );
}
