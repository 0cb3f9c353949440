import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { api } from "../api/client.ts";
import { OneEntry } from "../features/audit/entry.tsx";
import { Exports, Filters } from "../features/audit/filters.tsx";
import { Verification } from "../features/audit/verification.tsx";
import { asQuery, useWanted, type Wanted } from "../features/audit/wanted.ts";
import { Button, EmptyState, Loaded, PageTitle, Panel } from "../ui/index.ts";

export default function Audit() {
  const [wanted, change] = useWanted();
  const asked = useRecord(useDeferredValue(wanted));
  return (
    <>
      <PageTitle title="Audit timeline" about="Everything that happened, who did it, and what it was before and after. Nobody can change it unseen." />
      <div className="flex flex-col gap-4">
        <Verification />
        <Panel title="Record" flush actions={<Exports wanted={wanted} />}>
          <Filters wanted={wanted} onChange={change} />
          <Loaded of={asked}>
            {({ pages }) => {
              const entries = pages.flatMap((page) => page.data);
              if (entries.length === 0) return <EmptyState title="Nothing fits">Take a filter away, or look at more days.</EmptyState>;
              return (
                <ol aria-label="Record, newest first">
                  {entries.map((entry) => (
                    <OneEntry key={entry.eventId} entry={entry} onNarrow={change} />
                  ))}
                </ol>
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
        </Panel>
      </div>
    </>
  );
}

const PAGE = 50;

function useRecord(wanted: Wanted) {
  const query = asQuery(wanted);
  return useInfiniteQuery({
    queryKey: ["audit", "entries", query],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/admin/audit", { query: { ...query, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
  });
}
