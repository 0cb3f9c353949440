import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { Button, Loaded, Nothing, Table, Time, type Column } from "../../ui/index.ts";
import { Jobs } from "./jobs.tsx";
import type { Operations } from "./live.ts";

type Queue = Schemas["QueueAnswer"];

export const queues = ask({
  queryKey: ["operations", "queues"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/admin/queues", { signal })).data,
  refetchInterval: 5_000,
});

/** Every queue: what BullMQ holds, and what PostgreSQL knows. Those that need somebody come first. */
export function Queues({ now }: { now: Operations | null }) {
  const asked = useQuery(queues);
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <>
      {chosen ? <Jobs key={chosen} queue={chosen} onClose={() => setChosen(null)} /> : null}
      <Loaded of={asked}>
        {(all) => (
          <Table
            caption="Queues"
            dense
            rows={[...all.map((queue) => withNews(queue, now))].sort((a, b) => b.failed - a.failed || b.pending - a.pending || a.name.localeCompare(b.name))}
            rowKey={({ name }) => name}
            columns={columns(chosen, setChosen)}
          />
        )}
      </Loaded>
    </>
  );
}

/** The channel is a second old, the answer up to five. */
function withNews(queue: Queue, now: Operations | null): Queue {
  const news = now?.queues.find(({ name }) => name === queue.name);
  if (!now) return queue;
  return { ...queue, pending: news?.pending ?? 0, failed: news?.failed ?? 0, oldestPendingAt: news?.oldestPendingAt ?? null };
}

function columns(chosen: string | null, onChoose: (name: string) => void): readonly Column<Queue>[] {
  const count = (state: string) => ({
    head: state.charAt(0).toUpperCase() + state.slice(1),
    right: true,
    wide: true,
    cell: ({ counts }: Queue) => (counts ? <span className="figures">{counts[state] ?? 0}</span> : <Nothing said="Redis does not answer" />),
  });
  return [
    {
      head: "Queue",
      primary: true,
      cell: ({ name }) => (
        <Button tone="quiet" small aria-expanded={chosen === name} className="-ml-2 text-text" onClick={() => onChoose(name)}>
          {name}
        </Button>
      ),
    },
    count("waiting"),
    count("active"),
    count("delayed"),
    { head: "To do", right: true, cell: ({ pending }) => <span className="figures">{pending}</span> },
    { head: "Failed", right: true, cell: ({ failed }) => <span className={failed > 0 ? "figures font-semibold text-down" : "figures"}>{failed}</span> },
    { head: "Oldest", right: true, cell: ({ oldestPendingAt }) => <Time at={oldestPendingAt} shape="relative" /> },
    { head: "At once", right: true, wide: true, cell: ({ concurrency }) => <span className="figures">{concurrency}</span> },
    { head: "Tries", right: true, wide: true, cell: ({ attempts }) => <span className="figures">{attempts}</span> },
  ];
}
