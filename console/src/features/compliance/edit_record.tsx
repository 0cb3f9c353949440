import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { utcHour } from "../../domain/moment.ts";
import { sentence } from "../../domain/words.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Check, Dialog, ErrorState, Field, Select } from "../../ui/index.ts";
import { effectOf, RecordEffect } from "./record_effect.tsx";
import { endingSoon, NO_RECORD, standingOf, type KycRecord, type KycStatus } from "./queries.ts";

type Accreditation = Schemas["Accreditation"];

interface Draft {
  readonly kycStatus: KycStatus;
  readonly kycLevel: string;
  readonly whitelisted: boolean;
  readonly accreditation: Accreditation;
  readonly accreditationDay: string;
  readonly jurisdiction: string;
  readonly expiryDay: string;
}

const KYC: readonly KycStatus[] = ["PENDING", "APPROVED", "REJECTED", "EXPIRED"];
const ACCREDITATIONS: readonly Accreditation[] = ["none", "accredited", "institutional"];
const LEVELS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
const COUNTRY = /^[A-Z]{2}$/;

function draftOf(record: KycRecord | null): Draft {
  return {
    kycStatus: record?.kycStatus ?? "APPROVED",
    kycLevel: String(record?.kycLevel ?? 1),
    whitelisted: record?.whitelisted ?? false,
    accreditation: record?.accreditation ?? "none",
    accreditationDay: record?.accreditationExpiresAt?.slice(0, 10) ?? "",
    jurisdiction: record?.jurisdiction ?? "",
    expiryDay: record?.expiresAt?.slice(0, 10) ?? "",
  };
}

/** The end of a day in UTC, as records count. An unchanged day keeps its moment. */
function endOf(day: string, before: string | null | undefined): string | null {
  if (!day) return null;
  return before?.slice(0, 10) === day ? before : `${day}T23:59:59Z`;
}

function bodyOf(draft: Draft, tokenId: string, record: KycRecord | null): Schemas["SetRecord"] {
  return {
    tokenId,
    kycStatus: draft.kycStatus,
    kycLevel: LEVELS.indexOf(draft.kycLevel as (typeof LEVELS)[number]),
    whitelisted: draft.whitelisted,
    accreditation: draft.accreditation,
    accreditationExpiresAt: endOf(draft.accreditationDay, record?.accreditationExpiresAt),
    jurisdiction: draft.jurisdiction || null,
    expiresAt: endOf(draft.expiryDay, record?.expiresAt),
  };
}

interface Props {
  readonly userId: string;
  readonly token: Schemas["ListedToken"];
  /** What was seen of it; nothing where there is no record yet. */
  readonly record: KycRecord | null;
  readonly onClose: () => void;
}

/** What is decided of one user for one token: the version that was seen, and no other. */
export function EditRecord({ userId, token, record, onClose }: Props) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(record));
  const key = useRef(newKey());
  const country = draft.jurisdiction === "" || COUNTRY.test(draft.jurisdiction) ? null : "Two capital letters, such as PT.";
  const body = bodyOf(draft, token.id, record);
  const effect = useQuery({ ...effectOf(userId, body), enabled: country === null });
  const change = (next: Partial<Draft>): void => {
    setDraft({ ...draft, ...next });
    key.current = newKey();
  };
  const saving = useMutation({
    mutationFn: () =>
      api.post("/api/v1/tokens/compliance/{userId}", {
        path: { userId },
        body,
        key: key.current,
        seen: record?.version ?? NO_RECORD,
      }),
    onSuccess: async () => {
      tell("Record written", `${token.symbol}: ${sentence(draft.kycStatus)}`);
      void client.invalidateQueries({ queryKey: ["compliance"] });
      void client.invalidateQueries({ queryKey: endingSoon.queryKey });
      await client.invalidateQueries({ queryKey: standingOf(userId).queryKey });
      onClose();
    },
  });
  const isStale = saving.error instanceof ApiProblem && saving.error.face === "stale";
  const again = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: standingOf(userId).queryKey });
    onClose();
  };
  const missing = country ?? (isStale ? "Look again first" : effect.isPending ? "What it would do is being looked up" : null);
  return (
    <Dialog open title={`Record for ${token.symbol}`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        <Fields draft={draft} record={record} country={country} onChange={change} />
        <p className="text-[13px] text-muted">
          It holds at once for whatever is admitted or executed, orders that rest included, and the chain hears of it right after.
          {draft.kycStatus === "REJECTED" ? " Who is rejected is off the whitelist." : ""}
        </p>
        {country ? null : <RecordEffect userId={userId} symbol={token.symbol} effect={effect} />}
        {saving.error ? <ErrorState error={saving.error} action={isStale ? <Button small onClick={() => void again()}>Look again</Button> : null} /> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Go back</Button>
          <Button tone="primary" type="submit" busy={saving.isPending} reason={missing}>
            Write the record
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  readonly record: KycRecord | null;
  readonly country: string | null;
  readonly onChange: (next: Partial<Draft>) => void;
}

/** Where an end is not that of its day, which is what is entered here: that it stays, as long as the day does. */
function keptHour(end: string | null | undefined, day: string): string | undefined {
  if (!end || endOf(day, end) !== end || utcHour(end) === "end of day UTC") return undefined;
  return `At ${utcHour(end)}, as long as the day stays.`;
}

function Fields({ draft, record, country, onChange }: FieldsProps) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Select label="KYC" value={draft.kycStatus} onChange={({ target }) => onChange({ kycStatus: target.value as KycStatus })}>
        {KYC.map((status) => (
          <option key={status} value={status}>
            {sentence(status)}
          </option>
        ))}
      </Select>
      <Select label="KYC level" value={draft.kycLevel} onChange={({ target }) => onChange({ kycLevel: target.value })}>
        {LEVELS.map((level) => (
          <option key={level} value={level}>
            {level}
          </option>
        ))}
      </Select>
      <Field label="KYC ends (end of day UTC)" help={keptHour(record?.expiresAt, draft.expiryDay)} type="date" value={draft.expiryDay} onChange={({ target }) => onChange({ expiryDay: target.value })} />
      <Field label="Country" error={country} value={draft.jurisdiction} onChange={({ target }) => onChange({ jurisdiction: target.value.toUpperCase() })} />
      <Select label="Accreditation" value={draft.accreditation} onChange={({ target }) => onChange({ accreditation: target.value as Accreditation })}>
        {ACCREDITATIONS.map((accreditation) => (
          <option key={accreditation} value={accreditation}>
            {sentence(accreditation)}
          </option>
        ))}
      </Select>
      <Field
        label="Accreditation ends (end of day UTC)"
        help={keptHour(record?.accreditationExpiresAt, draft.accreditationDay)}
        type="date"
        value={draft.accreditationDay}
        onChange={({ target }) => onChange({ accreditationDay: target.value })}
      />
      <Check className="sm:col-span-2" label="On the whitelist of this token" checked={draft.whitelisted} onChange={({ target }) => onChange({ whitelisted: target.checked })} />
    </div>
  );
}
