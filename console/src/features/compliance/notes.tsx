import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { tell } from "../../state/toasts.ts";
import { Person } from "../staff/person.tsx";
import { Button, ErrorState, Loaded, Panel, SkeletonRows, TextArea, Time } from "../../ui/index.ts";

const LONGEST = 4000;

function notesOf(userId: string) {
  return ask({
    queryKey: ["compliance", "notes", userId],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/admin/audit", { query: { entityId: userId, action: "compliance.note_written", limit: 200 }, signal })).data,
  });
}

/** What officers have written down about a case. Notes are rows of the sealed record: nobody changes one, or takes it away. */
export function Notes({ userId }: { userId: string }) {
  const asked = useQuery(notesOf(userId));
  return (
    <Panel title="Case notes">
      <div className="flex flex-col gap-4">
        <NewNote userId={userId} />
        <Loaded of={asked} waiting={<SkeletonRows rows={2} />}>
          {(notes) =>
            notes.length > 0 ? (
              <ol className="flex flex-col divide-y divide-line" aria-label="Notes, newest first">
                {notes.map((note) => (
                  <li key={note.eventId} className="flex flex-col gap-0.5 py-2 first:pt-0 last:pb-0">
                    <span className="flex flex-wrap items-start gap-x-2 text-[13px] text-muted">
                      <Time at={note.createdAt} /> {note.actorId ? <Person userId={note.actorId} /> : null}
                    </span>
                    <p className="whitespace-pre-wrap" dir="auto">
                      {String(note.details["text"] ?? "")}
                    </p>
                  </li>
                ))}
              </ol>
            ) : (
              <p className="text-muted">Nobody has written anything yet.</p>
            )
          }
        </Loaded>
      </div>
    </Panel>
  );
}

function NewNote({ userId }: { userId: string }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const key = useRef(newKey());
  const writing = useMutation({
    mutationFn: () => api.post("/api/v1/compliance/{userId}/notes", { path: { userId }, body: { text: text.trim() }, key: key.current }),
    onSuccess: async () => {
      tell("The note is on record");
      setText("");
      key.current = newKey();
      await client.invalidateQueries({ queryKey: notesOf(userId).queryKey });
    },
  });
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        writing.mutate();
      }}
    >
      <TextArea
        label="A note"
        help="It stays in the sealed record for ever and staff can read it: name papers, not what is in them."
        maxLength={LONGEST}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          key.current = newKey();
        }}
      />
      <div>
        <Button type="submit" busy={writing.isPending} reason={text.trim() ? null : "Write something first"}>
          Put on record
        </Button>
      </div>
      {writing.error ? <ErrorState error={writing.error} /> : null}
    </form>
  );
}
