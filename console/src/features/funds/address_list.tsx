import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, ErrorState, Field, Hex, Loaded, Notice, Table, Time, useNow } from "../../ui/index.ts";
import { destinations } from "./questions.ts";
import { readAddress } from "./withdraw_form.tsx";

/** Where money may go. Each opening waits, so that whoever steals a session gains nothing by it; each closing counts at
 * once. */
export function AddressList() {
  const client = useQueryClient();
  const asked = useQuery(destinations);
  const now = useNow();
  const again = (): void => void client.invalidateQueries({ queryKey: ["destinations"] });
  const restricting = useMutation({
    mutationFn: (only: boolean) => api.put("/api/v1/withdrawals/allow-list", { body: { allowListOnly: only }, key: newKey() }),
    onSuccess: again,
    onError: tellProblem,
  });
  const removing = useMutation({
    mutationFn: (address: string) => api.delete("/api/v1/withdrawals/addresses/{address}", { path: { address }, key: newKey() }),
    onSuccess: again,
    onError: tellProblem,
  });
  return (
    <Loaded of={asked}>
      {({ allowListOnly, openFrom, addresses }) => (
        <>
          <div className="flex flex-col gap-3 border-b border-line p-4">
            {openFrom ? (
              <Notice tone="warn">
                The restriction ends <Time at={openFrom} shape="relative" />. Turn it on again and it never does.
              </Notice>
            ) : null}
            <div className="flex flex-wrap items-center justify-between gap-3">
              <p className="min-w-0 flex-1 basis-64">
                {allowListOnly ? "Withdrawals go to these addresses alone." : "Withdrawals go to any address."}{" "}
                <span className="text-muted">Restricting counts at once; lifting it again takes a delay.</span>
              </p>
              <Button busy={restricting.isPending} onClick={() => restricting.mutate(!allowListOnly || openFrom !== null)}>
                {allowListOnly && openFrom === null ? "Lift the restriction" : "Restrict to this list"}
              </Button>
            </div>
          </div>
          <AddAddress onAdded={again} />
          <Table
            caption="Addresses"
            rows={addresses}
            rowKey={(row) => row.address}
            empty={<EmptyState title="No address is listed">List one ahead of time: it counts after a delay.</EmptyState>}
            columns={[
              { head: "Address", primary: true, cell: (row) => <Hex value={row.address} /> },
              { head: "Name", cell: (row) => row.label },
              {
                head: "Counts",
                cell: (row) => (new Date(row.usableFrom) <= now ? <Badge tone="good">Now</Badge> : <Time at={row.usableFrom} shape="relative" />),
              },
              {
                head: "",
                right: true,
                cell: (row) => (
                  <Button small tone="quiet" aria-label={`Remove ${row.address}`} onClick={() => removing.mutate(row.address)}>
                    Remove
                  </Button>
                ),
              },
            ]}
          />
        </>
      )}
    </Loaded>
  );
}

function AddAddress({ onAdded }: { onAdded: () => void }) {
  const [typed, setTyped] = useState("");
  const [label, setLabel] = useState("");
  const key = useMemo(() => newKey(), [typed, label]);
  const { checked, problem } = readAddress(typed);
  const adding = useMutation({
    mutationFn: () => api.post("/api/v1/withdrawals/addresses", { body: { address: checked ?? "", label: label.trim() }, key }),
    onSuccess: () => {
      tell("Listed", "It counts after the delay.");
      setTyped("");
      setLabel("");
      onAdded();
    },
  });
  return (
    <form
      className="grid items-start gap-3 border-b border-line p-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) adding.mutate();
      }}
    >
      <Field label="Address" spellCheck={false} value={typed} error={typed ? problem : null} onChange={(event) => setTyped(event.target.value.trim())} />
      <Field label="Name" maxLength={100} value={label} onChange={(event) => setLabel(event.target.value)} />
      <Button type="submit" className="sm:mt-[1.55rem]" busy={adding.isPending} reason={problem}>
        List it
      </Button>
      {adding.error ? (
        <div className="sm:col-span-3">
          <ErrorState error={adding.error} />
        </div>
      ) : null}
    </form>
  );
}
