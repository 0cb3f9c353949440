import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { idProblem } from "../features/audit/wanted.ts";
import { Alerts } from "../features/compliance/alerts.tsx";
import { Calendar } from "../features/compliance/calendar.tsx";
import { BulkImport } from "../features/compliance/bulk_import.tsx";
import { Records } from "../features/compliance/records.tsx";
import { RestrictedList } from "../features/compliance/restricted.tsx";
import { Button, Field, PageTitle, Panel } from "../ui/index.ts";

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

/** By id: it stands in each record, in the audit timeline, and in the account menu of whoever asks for help. */
function FindUser() {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const problem = idProblem(text);
  return (
    <Panel title="Find a user">
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ to: `/compliance/${text}` });
        }}
      >
        <Field className="flex-1" label="User id" error={problem} value={text} onChange={({ target }) => setText(target.value.trim())} />
        <Button type="submit" reason={text === "" ? "Give an id first" : problem}>
          Open
        </Button>
      </form>
    </Panel>
  );
}
