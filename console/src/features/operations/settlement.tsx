import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { grouped } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { AuditLink } from "../staff/audit_link.tsx";
import { ReasonDialog } from "../staff/reason_dialog.tsx";
import { Button, EmptyState, Facts, Hex, Loaded, Nothing, Select, Skeleton, Stat, Status, Table, Time, type Column } from "../../ui/index.ts";

type Settlement = Schemas["SettlementDeskAnswer"];
type Wanted = "stuck" | Schemas["SettlementStatus"];

const STUCK_S = 300;
const CHOICES: readonly Wanted[] = ["stuck", "FAILED", "UNKNOWN", "SUBMITTED", "PENDING", "SETTLED"];

const summary = ask({
  queryKey: ["operations", "settlement-summary"],
  queryFn: ({ signal }) => api.get("/api/v1/admin/settlements/summary", { signal }),
  refetchInterval: 5_000,
});

/** Trades on their way to the chain: how many, how long, and those that do not arrive. */
export function Settlement() {
  const client = useQueryClient();
  const [wanted, setWanted] = useState<Wanted>("stuck");
  const [retried, setRetried] = useState<Settlement | null>(null);
  const asked = useSettlements(wanted);
  return (
    <div className="flex flex-col">
      <Summary />
      <div className="border-y border-line p-4">
        <Select className="sm:max-w-64" label="Which trades" value={wanted} onChange={({ target }) => setWanted(target.value as Wanted)}>
          {CHOICES.map((choice) => (
            <option key={choice} value={choice}>
              {choice === "stuck" ? "Stuck for five minutes" : sentence(choice)}
            </option>
          ))}
        </Select>
      </div>
      <Loaded of={asked}>
        {({ pages }) => (
          <Table
            caption="Settlements"
            dense
            rows={pages.flatMap(({ data }) => data)}
            rowKey={({ tradeId }) => tradeId}
            columns={columns(setRetried)}
            empty={<EmptyState title={wanted === "stuck" ? "Nothing is stuck" : "None"}>Trades settle by themselves, in their order.</EmptyState>}
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
      {retried ? (
        <ReasonDialog
          title="Settle this trade again?"
          what="Settle again"
          done="The trade is settled again"
          reason="none"
          onDo={(_, key) => api.post("/api/v1/admin/settlements/{tradeId}/retry", { path: { tradeId: retried.tradeId }, key })}
          onDone={() => void client.invalidateQueries({ queryKey: ["operations"] })}
          onClose={() => setRetried(null)}
        >
          <p>The contract takes each trade once: where it has settled meanwhile, nothing is paid twice.</p>
        </ReasonDialog>
      ) : null}
    </div>
  );
}

function useSettlements(wanted: Wanted) {
  return useInfiniteQuery({
    queryKey: ["operations", "settlements", wanted],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const which = wanted === "stuck" ? { stuckForS: STUCK_S } : { status: wanted };
      return api.get("/api/v1/admin/settlements", { query: { ...which, limit: 25, ...(pageParam ? { cursor: pageParam } : {}) }, signal });
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: 5_000,
  });
}

function Summary() {
  const asked = useQuery(summary);
  return (
    <div className="p-4">
      <Loaded of={asked} waiting={<Skeleton className="h-14 w-full" />}>
        {(told) => (
          <div className="flex flex-col gap-4">
            <div className="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-6">
              <Stat label="Settled">{grouped(String(told.settled))}</Stat>
              <Stat label="Oldest that is open">{grouped(String(told.oldestOpenS))} s</Stat>
              <Stat label="Open batches">{told.openBatches}</Stat>
              <Stat label="Half within">{told.lagP50S} s</Stat>
              <Stat label="99 % within">{told.lagP99S} s</Stat>
              <Stat label="Gas a trade">{told.gasPerTrade === null ? "–" : grouped(String(told.gasPerTrade))}</Stat>
            </div>
            <Facts facts={[...byReason("Waits for", told.waitingByReason), ...byReason("Failed by", told.failuresByReason)]} />
          </div>
        )}
      </Loaded>
    </div>
  );
}

function byReason(word: string, counts: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(counts).map(([reason, count]) => [`${word} ${sentence(reason).toLowerCase()}`, String(count)] as const);
}

function columns(onRetry: (settlement: Settlement) => void): readonly Column<Settlement>[] {
  return [
    { head: "Trade", primary: true, cell: ({ tradeId }) => <Hex value={tradeId} /> },
    { head: "Pair", cell: ({ pair }) => pair },
    { head: "Status", cell: ({ status }) => <Status of={status} /> },
    { head: "Why", cell: ({ reason }) => (reason ? sentence(reason) : <Nothing said="no reason" />) },
    { head: "Executed", cell: ({ executedAt }) => <Time at={executedAt} shape="relative" /> },
    { head: "Transaction", wide: true, cell: ({ txHash }) => <Hex value={txHash} /> },
    { head: "Sent", right: true, wide: true, cell: ({ sends }) => <span className="figures">{sends} times</span> },
    { head: "Record", wide: true, cell: ({ tradeId }) => <AuditLink entityId={tradeId}>Timeline</AuditLink> },
    {
      head: <span className="sr-only">Retry</span>,
      right: true,
      cell: (settlement) =>
        settlement.status === "FAILED" ? (
          <Button small onClick={() => onRetry(settlement)}>
            Settle again
          </Button>
        ) : null,
    },
  ];
}
