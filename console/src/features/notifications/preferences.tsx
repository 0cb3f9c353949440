import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { sentence } from "../../domain/words.ts";
import { tellProblem } from "../../state/toasts.ts";
import { Loaded, Table, type Column } from "../../ui/index.ts";
import { preferences } from "./questions.ts";

type Choice = Schemas["ChoiceAnswer"];
type Way = "inApp" | "email" | "sms" | "push";

const WAYS: readonly (readonly [Way, string])[] = [
  ["inApp", "Feed"],
  ["email", "Mail"],
  ["sms", "Text message"],
  ["push", "Push"],
];

/** Where I hear of what. What concerns safety always stands in the feed. */
export function Preferences() {
  const client = useQueryClient();
  const asked = useQuery(preferences);
  const choosing = useMutation({
    mutationFn: ({ kind, way, on }: { kind: Choice["kind"]; way: Way; on: boolean }) =>
      api.put("/api/v1/me/notification-preferences", { body: { preferences: [{ kind: kind as Schemas["Choice"]["kind"], [way]: on }] }, key: newKey() }),
    onSuccess: (told) => client.setQueryData(preferences.queryKey, told.preferences),
    onError: tellProblem,
  });
  const box = (row: Choice, way: Way, name: string) => {
    const fixed = way === "inApp" && row.required;
    return (
      <input
        type="checkbox"
        className="size-4 accent-accent"
        aria-label={`${sentence(row.kind)}: ${name}`}
        title={fixed ? "What concerns your safety always stands in the feed" : undefined}
        disabled={fixed}
        checked={row[way]}
        onChange={(event) => choosing.mutate({ kind: row.kind, way, on: event.target.checked })}
      />
    );
  };
  const columns: readonly Column<Choice>[] = [
    { head: "What", primary: true, cell: (row) => sentence(row.kind) },
    { head: "About", wide: true, cell: (row) => <span className="text-muted">{sentence(row.topic)}</span> },
    ...WAYS.map(([way, name]) => ({ head: name, right: true, cell: (row: Choice) => box(row, way, name) })),
  ];
  return <Loaded of={asked}>{(rows) => <Table caption="Where I hear of what" dense rows={rows} rowKey={(row) => row.kind} columns={columns} />}</Loaded>;
}
