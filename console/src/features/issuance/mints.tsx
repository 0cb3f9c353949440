import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { add, compare, isPositive, readAmount, subtract } from "../../domain/decimal.ts";
import { tell } from "../../state/toasts.ts";
import { Button, EmptyState, ErrorState, Field, Hex, Loaded, Quantity, Status, Table, Time } from "../../ui/index.ts";

/** More of a token: asked for here, agreed to by a second person, minted by itself. */
export function Mints({ token }: { token: Schemas["TokenDetailsAnswer"] }) {
  const asked = useInfiniteQuery({
    queryKey: ["market", "mints", token.id],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/tokens/{id}/mints", { path: { id: token.id }, query: pageParam ? { cursor: pageParam } : {}, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: 3_000,
  });
  return (
    <>
      <MintForm token={token} />
      <Loaded of={asked}>
        {({ pages }) => (
          <Table
            caption="Mints"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(row) => row.id}
            empty={<EmptyState title="Nothing was minted after the first issue" />}
            columns={COLUMNS}
          />
        )}
      </Loaded>
      {asked.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            Show more
          </Button>
        </div>
      ) : null}
    </>
  );
}

const COLUMNS = [
  { head: "Asked for", primary: true, cell: (row: Schemas["MintAnswer"]) => <Quantity value={row.amount} unit={row.symbol} /> },
  { head: "When", cell: (row: Schemas["MintAnswer"]) => <Time at={row.createdAt} /> },
  { head: "Why", cell: (row: Schemas["MintAnswer"]) => row.reason },
  {
    head: "Status",
    cell: (row: Schemas["MintAnswer"]) => (
      <>
        <Status of={row.status} /> {row.error ?? row.decisionReason}
      </>
    ),
  },
  { head: "Transaction", right: true, cell: (row: Schemas["MintAnswer"]) => <Hex value={row.txHash} /> },
];

function MintForm({ token }: { token: Schemas["TokenDetailsAnswer"] }) {
  const client = useQueryClient();
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const key = useMemo(() => newKey(), [amount, reason]);
  const left = token.supplyCap ? subtract(token.supplyCap, token.totalSupply) : null;
  const read = readAmount(amount);
  const minting = useMutation({
    mutationFn: () => api.post("/api/v1/tokens/{id}/mint", { path: { id: token.id }, body: { amount: add(read ?? "0", "0"), reason: reason.trim() }, key }),
    onSuccess: () => {
      tell("Asked for", "A second person agrees, then it is minted.");
      setAmount("");
      setReason("");
      void client.invalidateQueries({ queryKey: ["market"] });
    },
  });
  const beyond = read !== null && left !== null && compare(read, left) > 0;
  const missing = read === null || !isPositive(read) ? "Say how many" : beyond ? "That is beyond the cap" : reason.trim() ? null : "Say why";
  return (
    <form
      className="grid items-start gap-3 border-b border-line p-4 sm:grid-cols-[minmax(0,1fr)_minmax(0,2fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        if (!missing) minting.mutate();
      }}
    >
      <Field
        label="Mint"
        inputMode="decimal"
        unit={token.symbol}
        value={amount}
        error={beyond ? "Beyond the cap." : null}
        help={left === null ? undefined : <>Up to the cap: <Quantity value={left} /></>}
        onChange={(event) => setAmount(event.target.value)}
      />
      <Field label="Why" value={reason} maxLength={1000} onChange={(event) => setReason(event.target.value)} />
      <Button type="submit" tone="primary" className="sm:mt-[1.55rem]" busy={minting.isPending} reason={missing}>
        Ask for it
      </Button>
      {minting.error ? (
        <div className="sm:col-span-3">
          <ErrorState error={minting.error} />
        </div>
      ) : null}
    </form>
  );
}
