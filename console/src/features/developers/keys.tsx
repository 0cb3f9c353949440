import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { ReasonDialog } from "../staff/reason_dialog.tsx";
import { Badge, Button, EmptyState, Loaded, Money, Nothing, Panel, Table, Time, type Column } from "../../ui/index.ts";
import { KeyRequests } from "./key_requests.tsx";
import { NewKey } from "./new_key.tsx";

type Key = Schemas["ApiKeyAnswer"];

/** What programs show for their owner: what each may do, until when, and when it was last seen. */
export function Keys() {
  const client = useQueryClient();
  const [isMaking, setIsMaking] = useState(false);
  const [revoked, setRevoked] = useState<Key | null>(null);
  const [lookedAt, setLookedAt] = useState<Key | null>(null);
  const asked = useKeys();
  const refresh = (): void => void client.invalidateQueries({ queryKey: ["developers", "keys"] });
  return (
    <Panel
      flush
      title="API keys"
      actions={
        <Button small tone="primary" onClick={() => setIsMaking(true)}>
          New key
        </Button>
      }
    >
      <Loaded of={asked}>
        {({ pages }) => (
          <Table
            caption="API keys"
            rows={pages.flatMap(({ data }) => data)}
            rowKey={({ id }) => id}
            columns={columns(setRevoked, setLookedAt)}
            empty={
              <EmptyState title="No key yet">
                A key lets a program read, cancel and send in what you have signed. It never moves money by itself.
              </EmptyState>
            }
          />
        )}
      </Loaded>
      {asked.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            Show older
          </Button>
        </div>
      ) : null}
      {lookedAt ? <KeyRequests of={lookedAt} onClose={() => setLookedAt(null)} /> : null}
      {isMaking ? <NewKey onMade={refresh} onClose={() => setIsMaking(false)} /> : null}
      {revoked ? (
        <ReasonDialog
          title="Revoke this key?"
          what="Revoke it"
          done="The key is revoked"
          tone="danger"
          reason="none"
          onDo={(_, key) => api.delete("/api/v1/me/api-keys/{id}", { path: { id: revoked.id }, key })}
          onDone={refresh}
          onClose={() => setRevoked(null)}
        >
          <p>
            <strong dir="auto">{revoked.name}</strong> is refused from now on, for orders within two seconds. Orders that it sent in stay.
          </p>
        </ReasonDialog>
      ) : null}
    </Panel>
  );
}

function useKeys() {
  return useInfiniteQuery({
    queryKey: ["developers", "keys"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => api.get("/api/v1/me/api-keys", { query: pageParam ? { cursor: pageParam } : {}, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: 15_000,
  });
}

function columns(onRevoke: (key: Key) => void, onLook: (key: Key) => void): readonly Column<Key>[] {
  return [
    {
      head: "Name",
      primary: true,
      cell: ({ name, revokedAt, expiresAt }) => (
        <span className="inline-flex flex-wrap items-center gap-2 font-medium">
          <span dir="auto">{name}</span>
          {revokedAt ? <Badge tone="bad">Revoked</Badge> : new Date(expiresAt) < new Date() ? <Badge tone="warn">Expired</Badge> : null}
        </span>
      ),
    },
    { head: "May", cell: ({ scopes }) => scopes.join(", ") },
    { head: "From", cell: ({ allowedAddresses }) => (allowedAddresses.length > 0 ? allowedAddresses.join(", ") : "Anywhere") },
    { head: "Orders a minute", right: true, cell: ({ ordersPerMinute }) => (ordersPerMinute === null ? <Nothing said="no limit of its own" /> : <span className="figures">{ordersPerMinute}</span>) },
    { head: "A day at most", right: true, cell: ({ dailyNotional }) => <Money value={dailyNotional} /> },
    { head: "Ends", cell: ({ expiresAt }) => <Time at={expiresAt} shape="day" /> },
    {
      head: "Last used",
      cell: ({ lastUsedAt, lastUsedFrom }) => (
        <>
          <Time at={lastUsedAt} shape="relative" />
          {lastUsedFrom ? <span className="text-[13px] text-muted"> from {lastUsedFrom}</span> : null}
        </>
      ),
    },
    {
      head: <span className="sr-only">Look and revoke</span>,
      right: true,
      cell: (key) => (
        <span className="inline-flex gap-2">
          <Button small aria-label={`Requests of ${key.name}`} onClick={() => onLook(key)}>
            Requests
          </Button>
          {key.revokedAt ? null : (
            <Button small aria-label={`Revoke ${key.name}`} onClick={() => onRevoke(key)}>
              Revoke
            </Button>
          )}
        </span>
      ),
    },
  ];
}
