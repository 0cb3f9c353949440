import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Button, EmptyState, Facts, Hex, Loaded, Nothing, Status, Time } from "../../ui/index.ts";

type Message = Schemas["MessageAnswer"];

/** What was posted in the last thirty days, what came of it, and again. */
export function Deliveries({ webhookId }: { webhookId: string }) {
  const asked = useInfiniteQuery({
    queryKey: ["developers", "messages", webhookId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/me/webhooks/{id}/messages", { path: { id: webhookId }, query: { limit: 25, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: 3_000,
  });
  const replaying = useMutation({
    mutationFn: (messageId: string) =>
      api.post("/api/v1/me/webhooks/{id}/messages/{messageId}/replay", { path: { id: webhookId, messageId }, key: newKey() }),
    onSuccess: () => {
      tell("It is posted again", "Under its own id, so that whoever has it knows it.");
      void asked.refetch();
    },
    onError: tellProblem,
  });
  return (
    <div className="border-t border-line bg-bg">
      <Loaded of={asked}>
        {({ pages }) => {
          const messages = pages.flatMap(({ data }) => data);
          if (messages.length === 0) return <EmptyState title="Nothing was posted yet">Post a test to see whether it arrives.</EmptyState>;
          return (
            <ul aria-label="Messages, newest first">
              {messages.map((message) => (
                <OneMessage key={message.id} message={message} busy={replaying.isPending} onReplay={() => replaying.mutate(message.id)} />
              ))}
            </ul>
          );
        }}
      </Loaded>
      {asked.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button small busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            Show older
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function OneMessage({ message, busy, onReplay }: { message: Message; busy: boolean; onReplay: () => void }) {
  return (
    <li className="border-b border-line last:border-0">
      <details>
        <summary className="flex flex-wrap items-baseline gap-x-3 px-4 py-2 hover:bg-raised">
          <Status of={message.status} />
          <span className="font-medium">{message.kind}</span>
          <span className="text-[13px] text-muted">
            <Time at={message.createdAt} shape="relative" />, {message.attempts === 1 ? "1 try" : `${message.attempts} tries`}
          </span>
        </summary>
        <div className="flex flex-col gap-3 px-4 pt-1 pb-3">
          <Facts
            facts={[
              ["Message", <Hex value={message.id} whole />],
              ["Came of it", message.outcome ?? <Nothing said="nothing yet" />],
              ["Next try", <Time at={message.nextAttemptAt} />],
              ["Ended", <Time at={message.finishedAt} />],
            ]}
          />
          <pre tabIndex={0} aria-label="Body" className="overflow-x-auto rounded border border-line bg-panel p-2 font-mono text-[12px]">
            {JSON.stringify(message.payload, null, 1)}
          </pre>
          <Button small className="self-start" busy={busy} onClick={onReplay}>
            Post it again
          </Button>
        </div>
      </details>
    </li>
  );
}
