import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { idProblem } from "../features/audit/wanted.ts";
import { Alerts } from "../features/compliance/alerts.tsx";
import { Calendar } from "../features/compliance/calendar.tsx";
import { BulkImport } from "../features/compliance/bulk_import.tsx";
import { Records } from "../features/compliance/records.tsx";
import { RestrictedList } from "../features/compliance/restricted.tsx";
import { ACCOUNT, userOf } from "../features/staff/people.ts";
import { Button, ErrorState, Field, PageTitle, Panel } from "../ui/index.ts";

export default function Compliance() {
  return (
    <>
      <PageTitle title="Compliance" about="Who may hold what, until when, and who is stopped." />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(22rem,26rem)]">
        <div className="flex min-w-0 flex-col gap-4">
          <Records />
          <Alerts />
          <RestrictedList />
          <BulkImport />
        </div>
        <div className="flex flex-col gap-4 max-xl:order-first">
          <FindUser />
          <Calendar />
        </div>
      </div>
    </>
  );
}

/** By the account, as people know it; by the id, as logs and the account menu of whoever asks for help have it. */
function FindUser() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const isAccount = ACCOUNT.test(text);
  const problem = isAccount || idProblem(text) === null ? null : "An account is 0x and 40 digits; an id looks like 01a216a7-c307-75d5-a46e-eea633a509da.";
  const finding = useMutation({
    mutationFn: () => (isAccount ? client.fetchQuery(userOf(text)) : Promise.resolve(text)),
    onSuccess: (userId) => {
      if (userId) void navigate({ to: `/compliance/${userId}` });
    },
  });
  return (
    <Panel title="Find a user">
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          finding.mutate();
        }}
      >
        <Field
          className="flex-1"
          label="Account or user id"
          error={finding.data === null ? "Nobody here has this account." : problem}
          value={text}
          onChange={({ target }) => {
            setText(target.value.trim());
            finding.reset();
          }}
        />
        <Button type="submit" busy={finding.isPending} reason={text === "" ? "Give an account or an id first" : problem}>
          Open
        </Button>
      </form>
      {finding.error ? <ErrorState error={finding.error} /> : null}
    </Panel>
  );
}
