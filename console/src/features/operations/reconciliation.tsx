import { useMutation, useQuery } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ask, hasRole, useMe } from "../../api/queries.ts";
import { sentence } from "../../domain/words.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, Hex, Loaded, Notice, Quantity, Table, Time } from "../../ui/index.ts";

type Run = Schemas["RunAnswer"];

const runs = ask({
  queryKey: ["operations", "reconciliation"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/admin/reconciliation", { query: { limit: 20 }, signal })).data,
  refetchInterval: 10_000,
});

/** The ledger against the vault, to the last unit. */
export function Reconciliation() {
  const asked = useQuery(runs);
  const mayRun = hasRole(useMe(), "operator", "admin");
  const running = useMutation({
    mutationFn: () => api.post("/api/v1/admin/reconciliation/run", { key: newKey() }),
    onSuccess: () => tell("They are compared", "The result stands here in a moment."),
    onError: tellProblem,
  });
  return (
    <Loaded of={asked}>
      {(all) => (
        <div className="flex flex-col gap-4 p-4">
          <div className="flex flex-wrap items-center justify-between gap-2">
            {all[0] ? <Newest run={all[0]} /> : <p className="text-muted">They have not been compared yet.</p>}
            {mayRun ? (
              <Button small busy={running.isPending} onClick={() => running.mutate()}>
                Compare now
              </Button>
            ) : null}
          </div>
          {all[0] ? <Figures run={all[0]} /> : null}
          {all[0] && all[0].breaks.length > 0 ? <Breaks run={all[0]} /> : null}
          <History runs={all} />
        </div>
      )}
    </Loaded>
  );
}

function Newest({ run }: { run: Run }) {
  return (
    <p className="flex flex-wrap items-center gap-2">
      {run.breaks.length === 0 ? <Badge tone="good">✓ No break</Badge> : <Badge tone="bad">{`! ${run.breaks.length} breaks`}</Badge>}
      <span className="text-[13px] text-muted">
        <Time at={run.createdAt} shape="relative" />, at block <span className="figures">{run.blockNumber}</span>
        {run.exact ? "" : "; some things were still moving"}
      </span>
    </p>
  );
}

function Figures({ run }: { run: Run }) {
  return (
    <Table
      caption="Ledger and vault by token"
      dense
      rows={run.tokens}
      rowKey={({ token }) => token}
      empty={<EmptyState title="No token yet" />}
      columns={[
        { head: "Token", primary: true, cell: ({ symbol }) => <span className="font-medium">{symbol}</span> },
        { head: "Held by users", right: true, cell: ({ held }) => <Quantity value={held} /> },
        { head: "In suspense", right: true, cell: ({ suspense }) => <Quantity value={suspense} /> },
        { head: "In flight", right: true, cell: ({ inFlight }) => <Quantity value={inFlight} /> },
        { head: "Vault owes", right: true, cell: ({ vaultOwes }) => <Quantity value={vaultOwes} /> },
        { head: "Vault holds", right: true, cell: ({ vaultHolds }) => <Quantity value={vaultHolds} /> },
      ]}
    />
  );
}

function Breaks({ run }: { run: Run }) {
  return (
    <Notice tone="bad" title="Breaks">
      <Table
        caption="Breaks"
        dense
        rows={run.breaks}
        rowKey={({ token, account }) => `${token} ${account}`}
        columns={[
          { head: "Account", primary: true, cell: ({ account }) => <Hex value={account} /> },
          { head: "Token", cell: ({ token }) => <Hex value={token} /> },
          { head: "Ledger", right: true, cell: ({ ledger }) => <Quantity value={ledger} /> },
          { head: "Vault", right: true, cell: ({ chain }) => <Quantity value={chain} /> },
          { head: "Difference", right: true, cell: ({ difference }) => <Quantity value={difference} /> },
          { head: "Because", cell: ({ explanation }) => sentence(explanation) },
        ]}
      />
    </Notice>
  );
}

function History({ runs: all }: { runs: readonly Run[] }) {
  if (all.length < 2) return null;
  return (
    <section>
      <h3 className="mb-2 font-semibold">Before</h3>
      <Table
        caption="Earlier comparisons"
        dense
        rows={all.slice(1)}
        rowKey={({ id }) => id}
        columns={[
          { head: "When", primary: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
          { head: "Block", right: true, cell: ({ blockNumber }) => <span className="figures">{blockNumber}</span> },
          { head: "Accounts", right: true, cell: ({ accounts }) => <span className="figures">{accounts}</span> },
          { head: "Breaks", right: true, cell: ({ breaks }) => <span className={breaks.length > 0 ? "text-down" : ""}>{breaks.length}</span> },
        ]}
      />
    </section>
  );
}
