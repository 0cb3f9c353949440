import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { grouped } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { Badge, Button, Facts, Hex, Loaded, Notice, Panel, SkeletonRows, Time } from "../../ui/index.ts";

const verification = ask({
  queryKey: ["audit", "verification"],
  queryFn: ({ signal }) => api.get("/api/v1/admin/audit/verification", { signal }),
  staleTime: 60_000,
});

/** Whether the record is what was written: the server computes its hashes again from the rows that stand there now. */
export function Verification() {
  const asked = useQuery(verification);
  return (
    <Panel
      title="Sealed record"
      actions={
        <Button small busy={asked.isFetching} onClick={() => void asked.refetch()}>
          Verify again
        </Button>
      }
    >
      <Loaded of={asked} waiting={<SkeletonRows rows={2} />}>
        {(told) => (
          <div className="flex flex-col gap-3" data-testid="verification">
            <p className="flex flex-wrap items-center gap-2">
              {told.holds ? <Badge tone="good">✓ Hash chain verified</Badge> : <Badge tone="bad">! Hash chain broken</Badge>}
              <span className="text-[13px] text-muted">
                <Time at={told.verifiedAt} shape="relative" />; rows of the newest {told.newestSeals} seals, and the chain of all
              </span>
            </p>
            <div className="grid gap-4 md:grid-cols-3">
              {told.streams.map((stream) => (
                <section key={stream.stream} className="min-w-0">
                  <h3 className="mb-1 font-medium">{sentence(stream.stream)}</h3>
                  <Facts
                    facts={[
                      ["Seals", grouped(String(stream.seals))],
                      ["Rows read", grouped(String(stream.rowsRead))],
                      ["Wait for a seal", grouped(String(stream.rowsUnsealed))],
                      ["Head", <Hex value={stream.headHash} />],
                    ]}
                  />
                  {stream.findings.map((finding) => (
                    <Notice key={finding} tone="bad" title="Found">
                      {finding}
                    </Notice>
                  ))}
                </section>
              ))}
            </div>
          </div>
        )}
      </Loaded>
    </Panel>
  );
}
