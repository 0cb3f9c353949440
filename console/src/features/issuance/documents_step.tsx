import { useMutation } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import type { DraftDocument } from "../../domain/registration.ts";
import { sentence } from "../../domain/words.ts";
import { Button, EmptyState, ErrorState, Field, Hex, Notice, Select, Table } from "../../ui/index.ts";
import { anchor, type Form } from "./inputs.tsx";
import { sha256Of } from "./sha256.ts";

const KINDS = ["title_deed", "valuation_report", "prospectus", "legal_opinion", "financial_statement", "insurance", "other"];

/** Documents are read in this browser: what goes on record is their SHA-256, and never they themselves. */
export function DocumentsStep({ form }: { form: Form }) {
  const [title, setTitle] = useState("");
  const [kind, setKind] = useState(KINDS[0] ?? "other");
  const file = useRef<HTMLInputElement>(null);
  const id = useId();
  const [chosen, setChosen] = useState<File | null>(null);
  const adding = useMutation({
    mutationFn: async (picked: File): Promise<DraftDocument> => {
      const body = {
        title: title.trim() || picked.name,
        kind,
        mediaType: picked.type,
        sha256: await sha256Of(picked),
        sizeBytes: picked.size,
      };
      return api.post("/api/v1/documents", { body, key: newKey() });
    },
    onSuccess: ({ id, title, kind, sha256 }) => {
      form.change({ documents: [...form.draft.documents, { id, title, kind, sha256 }] });
      setTitle("");
      setChosen(null);
      if (file.current) file.current.value = "";
    },
  });
  return (
    <div id={anchor("documents")} className="flex flex-col gap-4">
      <Notice>
        A document does not leave this browser. Its SHA-256 goes on record, so that whoever is given the document can prove
        that it is this one.
      </Notice>
      {form.problems.documents ? <p className="text-down">{form.problems.documents}</p> : null}
      <div className="grid items-start gap-3 sm:grid-cols-2">
        <Field label="Title" value={title} maxLength={200} placeholder="As the file is called" onChange={(event) => setTitle(event.target.value)} />
        <Select label="Kind" value={kind} onChange={(event) => setKind(event.target.value)}>
          {KINDS.map((name) => (
            <option key={name} value={name}>
              {sentence(name)}
            </option>
          ))}
        </Select>
        <div className="flex min-w-0 flex-wrap items-center gap-3 sm:col-span-2">
          <label htmlFor={id} className="sr-only">
            File
          </label>
          <input
            ref={file}
            id={id}
            type="file"
            className="min-w-0 max-w-full rounded-md border border-edge px-2 py-1.5 file:mr-3 file:rounded file:border-0 file:bg-raised file:px-2 file:py-1 file:text-text"
            onChange={(event) => setChosen(event.target.files?.[0] ?? null)}
          />
          <Button busy={adding.isPending} reason={chosen ? null : "Choose a file first"} onClick={() => chosen && adding.mutate(chosen)}>
            Put on record
          </Button>
        </div>
      </div>
      {adding.error ? <ErrorState error={adding.error} /> : null}
      <Table
        caption="Documents of this registration"
        rows={form.draft.documents}
        rowKey={(row) => row.id}
        empty={<EmptyState title="No document yet">An officer wants at least the title and how it was valued.</EmptyState>}
        columns={[
          { head: "Document", primary: true, cell: (row) => <span className="font-medium">{row.title}</span> },
          { head: "Kind", cell: (row) => sentence(row.kind) },
          { head: "SHA-256", cell: (row) => <Hex value={row.sha256} /> },
          {
            head: "",
            right: true,
            cell: (row) => (
              <Button
                small
                tone="quiet"
                aria-label={`Leave out ${row.title}`}
                onClick={() => form.change({ documents: form.draft.documents.filter(({ id: other }) => other !== row.id) })}
              >
                Leave out
              </Button>
            ),
          },
        ]}
      />
    </div>
  );
}
