import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, Nothing, Time, type Column } from "../../ui/index.ts";
import { PagedTable } from "../paging/paged_table.tsx";

type SignIn = Schemas["SignInAnswer"];

/** Who is let in as me now: sessions that my wallet began, and sign-ins elsewhere that act for my account. */
export function SignIns() {
  const client = useQueryClient();
  const ending = useMutation({
    mutationFn: (id: string) => api.delete("/api/v1/me/sign-ins/{id}", { path: { id }, key: newKey() }),
    onSuccess: () => tell("Ended", "Whoever holds it is let in no longer."),
    onError: tellProblem,
    onSettled: () => void client.invalidateQueries({ queryKey: ["sign-ins"] }),
  });
  const columns: readonly Column<SignIn>[] = [
    { head: "By", primary: true, cell: (row) => <span className="font-medium">{row.issuer ? `${row.subject ?? ""} at ${row.issuer}` : "My wallet"}</span> },
    { head: "Since", cell: (row) => <Time at={row.beganAt} /> },
    { head: "Last renewed", cell: (row) => (row.lastRefreshedAt ? <Time at={row.lastRefreshedAt} shape="relative" /> : <Nothing />) },
    { head: "Ends by itself", cell: (row) => (row.expiresAt ? <Time at={row.expiresAt} shape="relative" /> : <Nothing said="never" />) },
    {
      head: "",
      right: true,
      cell: (row) =>
        row.isThis ? (
          <Badge tone="good">This one</Badge>
        ) : (
          <Button small busy={ending.isPending && ending.variables === row.id} onClick={() => ending.mutate(row.id)}>
            End it
          </Button>
        ),
    },
  ];
  return (
    <PagedTable
      caption="Sign-ins"
      queryKey={["sign-ins"]}
      load={(cursor, signal) => api.get("/api/v1/me/sign-ins", { query: cursor ? { cursor } : {}, signal })}
      rowKey={(row) => row.id}
      columns={columns}
      empty={<EmptyState title="Nobody is signed in">Your wallet signs in anew at any time.</EmptyState>}
    />
  );
}
