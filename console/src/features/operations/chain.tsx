import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { ask, hasRole, useMe } from "../../api/queries.ts";
import { readCount } from "../../domain/count.ts";
import { grouped } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { ReasonDialog } from "../staff/reason_dialog.tsx";
import { Button, Facts, Field, Hex, Loaded, Notice, Skeleton, Table, Time } from "../../ui/index.ts";
import type { Operations } from "./live.ts";

const watcher = ask({
  queryKey: ["operations", "watcher"],
  queryFn: ({ signal }) => api.get("/api/v1/admin/chain/watcher", { signal }),
  refetchInterval: 5_000,
});

/** What is sent to the chain, what is seen on it, and how far facts have been told. */
export function Chain({ now }: { now: Operations | null }) {
  return (
    <div className="grid gap-6 p-4 lg:grid-cols-3">
      <section className="min-w-0">
        <h3 className="mb-2 font-semibold">Watcher</h3>
        <Watcher />
      </section>
      <section className="min-w-0">
        <h3 className="mb-2 font-semibold">Transaction lane</h3>
        {now ? <Counts caption="Transactions by stage" head="Stage" counts={now.lane} /> : <Skeleton className="h-16 w-full" />}
      </section>
      <section className="min-w-0">
        <h3 className="mb-2 font-semibold">Relay lag</h3>
        {now ? <Counts caption="Lag by sink" head="Sink" counts={now.relayLagMs} unit="ms" /> : <Skeleton className="h-16 w-full" />}
      </section>
    </div>
  );
}

function Counts({ caption, head, counts, unit = "" }: { caption: string; head: string; counts: Readonly<Record<string, number>>; unit?: string }) {
  return (
    <Table
      caption={caption}
      dense
      rows={Object.entries(counts)}
      rowKey={([name]) => name}
      empty={<p className="text-muted">Nothing is under way.</p>}
      columns={[
        { head, primary: true, cell: ([name]) => sentence(name) },
        { head: unit || "How many", right: true, cell: ([, count]) => <span className="figures">{grouped(String(count))}</span> },
      ]}
    />
  );
}

function Watcher() {
  const asked = useQuery(watcher);
  const mayRescan = hasRole(useMe(), "operator", "admin");
  const [isAsking, setIsAsking] = useState(false);
  return (
    <Loaded of={asked}>
      {(told) => (
        <div className="flex flex-col gap-3">
          {told.stoppedReason ? (
            <Notice tone="bad" title="The watcher has stopped">
              {told.stoppedReason}
            </Notice>
          ) : null}
          <Facts
            facts={[
              ["Block", <span className="figures">{grouped(String(told.blockNumber))}</span>],
              ["Hash", <Hex value={told.blockHash} />],
              ["Looked", <Time at={told.updatedAt} shape="relative" />],
              ["Not taken in", <span className="figures">{told.unprocessed}</span>],
              ["Of these failing", <span className={told.failing > 0 ? "figures text-down" : "figures"}>{told.failing}</span>],
              ["Oldest", <Time at={told.oldestUnprocessedAt} shape="relative" />],
            ]}
          />
          {mayRescan ? (
            <Button small className="self-start" onClick={() => setIsAsking(true)}>
              Read blocks again
            </Button>
          ) : null}
          {isAsking ? <Rescan newest={told.blockNumber} onClose={() => setIsAsking(false)} onDone={() => void asked.refetch()} /> : null}
        </div>
      )}
    </Loaded>
  );
}

function Rescan({ newest, onClose, onDone }: { newest: number; onClose: () => void; onDone: () => void }) {
  const [from, setFrom] = useState("");
  const [to, setTo] = useState(String(newest));
  const [fromBlock, toBlock] = [readCount(from), readCount(to)];
  return (
    <ReasonDialog
      title="Read blocks again?"
      what="Read them again"
      done="The blocks are read again"
      reason="none"
      onDo={(_, key) => {
        if (fromBlock === null || toBlock === null) throw new Error("Both are numbers of blocks.");
        return api.post("/api/v1/admin/chain/rescan", { body: { fromBlock, toBlock }, key });
      }}
      onDone={onDone}
      onClose={onClose}
    >
      <p>Events that were missed are taken in; those that were taken in already are left alone.</p>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="From block" inputMode="numeric" value={from} onChange={({ target }) => setFrom(target.value.trim())} />
        <Field label="To block" inputMode="numeric" value={to} onChange={({ target }) => setTo(target.value.trim())} />
      </div>
    </ReasonDialog>
  );
}
