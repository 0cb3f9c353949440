import { useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { Badge, CopyButton, Dialog, EmptyState, Loaded, Table, Time, type Column, type Tone } from "../../ui/index.ts";

type Key = Schemas["ApiKeyAnswer"];
type Asked = Schemas["KeyRequestAnswer"];

/** What a program asked under a key lately, and what came of it: whose mistake it was is seen at a glance. */
export function KeyRequests({ of, onClose }: { of: Key; onClose: () => void }) {
  const asked = useQuery({
    queryKey: ["developers", "keys", of.id, "requests"],
    queryFn: ({ signal }) => api.get("/api/v1/me/api-keys/{id}/requests", { path: { id: of.id }, signal }),
    refetchInterval: 5_000,
  });
  return (
    <Dialog open wide title={`Requests of ${of.name}`} onClose={onClose}>
      <Loaded of={asked}>
        {({ requests }) => (
          <Table
            caption={`Requests of ${of.name}`}
            rows={requests}
            rowKey={({ requestId }) => requestId}
            columns={COLUMNS}
            empty={
              <EmptyState title="Nothing was asked yet">
                The latest 200 requests of the last week stand here, a second after they came. What is said on a socket does not.
              </EmptyState>
            }
          />
        )}
      </Loaded>
    </Dialog>
  );
}

function tone(status: number): Tone {
  if (status < 400) return "good";
  return status < 500 ? "warn" : "bad";
}

const COLUMNS: readonly Column<Asked>[] = [
  { head: "When", primary: true, cell: ({ at }) => <Time at={at} /> },
  {
    head: "Request",
    cell: ({ method, path }) => (
      <span className="break-all font-mono text-[13px]">
        {method} {path}
      </span>
    ),
  },
  { head: "Answer", right: true, cell: ({ status }) => <Badge tone={tone(status)}>{String(status)}</Badge> },
  { head: "Took", right: true, cell: ({ tookMs }) => <span className="figures">{tookMs} ms</span> },
  { head: "Request id", right: true, cell: ({ requestId }) => <CopyButton text={requestId} label="Copy the request id" /> },
];
