import { api, type Schemas } from "../../api/client.ts";
import { Badge, EmptyState, Nothing, Panel, Time, type Column } from "../../ui/index.ts";
import { PagedTable } from "../paging/paged_table.tsx";
import { Person } from "../staff/person.tsx";

type Restricted = Schemas["RestrictedAnswer"];

const COLUMNS: readonly Column<Restricted>[] = [
  { head: "Account", primary: true, cell: ({ userId, account }) => <Person userId={userId} account={account} /> },
  {
    head: "Stopped by",
    cell: ({ frozen, sanctioned }) => (
      <span className="inline-flex flex-wrap gap-1">
        {frozen ? <Badge tone="bad">Freeze</Badge> : null}
        {sanctioned ? <Badge tone="bad">Sanctions</Badge> : null}
      </span>
    ),
  },
  { head: "Why it is frozen", cell: ({ frozenReason }) => frozenReason ?? <Nothing said="it is not frozen" /> },
  { head: "Screened", right: true, cell: ({ screenedAt }) => <Time at={screenedAt} shape="day" /> },
];

/** Everybody who is stopped, whatever their records say. */
export function RestrictedList() {
  return (
    <Panel title="Restricted list" flush>
      <PagedTable
        caption="Accounts that are frozen or on the sanctions list"
        queryKey={["compliance", "restricted"]}
        load={(cursor, signal) => api.get("/api/v1/compliance/restricted", { query: cursor ? { cursor } : {}, signal })}
        columns={COLUMNS}
        rowKey={({ userId }) => userId}
        empty={<EmptyState title="Nobody is stopped">Who is frozen or on the sanctions list stands here, with the reason.</EmptyState>}
        everyMs={15_000}
      />
    </Panel>
  );
}
