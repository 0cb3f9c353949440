import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../../api/client.ts";
import { sentence } from "../../domain/words.ts";
import { tell, tellProblem } from "../../state/toasts.ts";
import { Button, Field, Select } from "../../ui/index.ts";
import { ACCOUNT, userOf } from "../staff/people.ts";
import { saveFile } from "../staff/save_file.ts";
import { actionProblem, exportPeriod, idProblem, type Wanted } from "./wanted.ts";

/** What the record speaks of, by the name it has there. */
const KINDS = [
  "market",
  "token",
  "pair",
  "trade",
  "settlement",
  "deposit",
  "withdrawal",
  "transfer",
  "custody",
  "compliance",
  "user",
  "document",
  "operations",
  "reconciliation",
] as const;

export function Filters({ wanted, onChange }: { wanted: Wanted; onChange: (change: Partial<Wanted>) => void }) {
  const isEmpty = Object.values(wanted).every((value) => value === "");
  return (
    <div className="grid gap-3 border-b border-line p-4 sm:grid-cols-2 lg:grid-cols-3">
      <IdField label="Id of what it happened to" placeholder="A market, an order, an account …" value={wanted.entityId} onChange={(entityId) => onChange({ entityId })} />
      <IdField label="Id of who did it" placeholder="A user, or their account" value={wanted.actorId} onChange={(actorId) => onChange({ actorId })} />
      <Select label="Kind of thing" value={wanted.entityType} onChange={({ target }) => onChange({ entityType: target.value })}>
        <option value="">Everything</option>
        {[...new Set([...KINDS, ...(wanted.entityType ? [wanted.entityType] : [])])].map((kind) => (
          <option key={kind} value={kind}>
            {sentence(kind)}
          </option>
        ))}
      </Select>
      <Field label="Action" placeholder="market.approved" error={actionProblem(wanted.action)} value={wanted.action} onChange={({ target }) => onChange({ action: target.value.trim() })} />
      <Field label="From" type="date" value={wanted.from} max={wanted.to || undefined} onChange={({ target }) => onChange({ from: target.value })} />
      <Field label="To" type="date" value={wanted.to} min={wanted.from || undefined} onChange={({ target }) => onChange({ to: target.value })} />
      {isEmpty ? null : (
        <div>
          <Button small tone="quiet" onClick={() => onChange({ entityType: "", entityId: "", actorId: "", action: "", from: "", to: "" })}>
            Clear all filters
          </Button>
        </div>
      )}
    </div>
  );
}

interface IdProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (id: string) => void;
}

/** An id, or an account, in whose place the id of its user is put: people have the one, the record has the other. */
function IdField({ label, placeholder, value, onChange }: IdProps) {
  const isAccount = ACCOUNT.test(value);
  const { data: userId, error } = useQuery({ ...userOf(value), enabled: isAccount });
  useEffect(() => {
    if (isAccount && userId) onChange(userId);
    // Once for each account that is found: `onChange` is another one in each rendering.
  }, [isAccount, userId]);
  const problem = error?.message ?? (userId === null ? "Nobody here has this account." : null);
  return (
    <Field label={label} placeholder={placeholder} error={isAccount ? problem : idProblem(value)} value={value} onChange={({ target }) => onChange(target.value.trim())} />
  );
}

/** The whole record of the days that are looked at, as regulators take it. */
export function Exports({ wanted }: { wanted: Wanted }) {
  const exporting = useMutation({
    mutationFn: async (format: "csv" | "json") => {
      const period = exportPeriod(wanted, new Date());
      const bytes = await api.download("/api/v1/admin/audit/export", { query: { ...period, format } });
      saveFile(bytes, `audit-${period.from.slice(0, 10)}-${period.to.slice(0, 10)}.${format}`);
    },
    onSuccess: () => tell("Exported", "Everything of the period, whatever else is filtered."),
    onError: tellProblem,
  });
  return (
    <span className="flex flex-wrap items-center gap-2">
      <span className="text-[13px] text-muted">{wanted.from || wanted.to ? "Export this period" : "Export the last 30 days"}</span>
      <Button small busy={exporting.isPending} onClick={() => exporting.mutate("csv")}>
        CSV
      </Button>
      <Button small busy={exporting.isPending} onClick={() => exporting.mutate("json")}>
        JSON
      </Button>
    </span>
  );
}
