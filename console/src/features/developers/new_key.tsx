import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { isAmount } from "../../domain/decimal.ts";
import { Button, Check, CopyAs, Dialog, ErrorState, Field, Select, TextArea } from "../../ui/index.ts";
import { ShownOnce } from "./shown_once.tsx";

type Scope = "read" | "account" | "trade";

const SCOPES: readonly (readonly [Scope, string, string])[] = [
  ["read", "Read orders and trades", "My orders, swaps, trades and their settlement."],
  ["account", "Read the account", "Balances, statements, deposits, withdrawals, compliance."],
  ["trade", "Trade", "Send in what I have signed, cancel, reduce. It signs nothing."],
];
const LIVES = { "30": 30, "90": 90, "180": 180, "365": 365 } as const;
type Life = keyof typeof LIVES;
const RATES = { "": null, "60": 60, "600": 600, "6000": 6000 } as const;
type Rate = keyof typeof RATES;

interface Draft {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly life: Life;
  readonly networks: string;
  readonly rate: Rate;
  readonly daily: string;
}

const EMPTY: Draft = { name: "", scopes: ["read"], life: "90", networks: "", rate: "", daily: "" };

function bodyOf(draft: Draft): Schemas["CreateApiKey"] {
  return {
    name: draft.name.trim(),
    scopes: [...draft.scopes],
    expiresInDays: LIVES[draft.life],
    allowedAddresses: draft.networks.split(/[\s,]+/).filter(Boolean),
    ordersPerMinute: RATES[draft.rate],
    dailyNotional: draft.daily || null,
  };
}

function missing(draft: Draft): string | null {
  if (draft.name.trim() === "") return "Give it a name first";
  if (draft.scopes.length === 0) return "Choose what it may do";
  return draft.daily === "" || isAmount(draft.daily) ? null : "The daily limit is no amount";
}

export function NewKey({ onMade, onClose }: { onMade: () => void; onClose: () => void }) {
  const [draft, setDraft] = useState(EMPTY);
  const key = useRef(newKey());
  const making = useMutation({
    mutationFn: () => api.post("/api/v1/me/api-keys", { body: bodyOf(draft), key: key.current }),
    onSuccess: onMade,
  });
  const change = (next: Partial<Draft>): void => {
    setDraft({ ...draft, ...next });
    key.current = newKey();
  };
  if (making.data) {
    return (
      <Dialog open title={`The key ${making.data.key.name}`} onClose={onClose}>
        <div className="flex flex-col gap-4">
          <ShownOnce secret={making.data.apiKey} what="the key">
            Send it as Authorization: Bearer, or as X-API-Key. Only a hash of it is kept here.
          </ShownOnce>
          <Button tone="primary" className="self-end" onClick={onClose}>
            I have it
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog open title="New API key" onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate();
        }}
      >
        <Fields draft={draft} onChange={change} />
        {making.error ? <ErrorState error={making.error} /> : null}
        <div className="flex flex-wrap items-center justify-between gap-2">
          <CopyAs request={{ method: "POST", path: "/api/v1/me/api-keys", body: bodyOf(draft), keyed: true }} />
          <Button tone="primary" type="submit" busy={making.isPending} reason={missing(draft)}>
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Fields({ draft, onChange }: { draft: Draft; onChange: (next: Partial<Draft>) => void }) {
  return (
    <>
      <Field label="Name" maxLength={64} placeholder="quoting bot" value={draft.name} onChange={({ target }) => onChange({ name: target.value })} />
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1 text-[13px] font-medium text-muted">It may</legend>
        {SCOPES.map(([scope, label, help]) => (
          <Check
            key={scope}
            label={label}
            help={help}
            checked={draft.scopes.includes(scope)}
            onChange={({ target }) => onChange({ scopes: target.checked ? [...draft.scopes, scope] : draft.scopes.filter((one) => one !== scope) })}
          />
        ))}
      </fieldset>
      <div className="grid gap-3 sm:grid-cols-3">
        <Select label="Ends after" value={draft.life} onChange={({ target }) => onChange({ life: target.value as Life })}>
          {(Object.keys(LIVES) as Life[]).map((life) => (
            <option key={life} value={life}>
              {life} days
            </option>
          ))}
        </Select>
        <Select label="Orders a minute" value={draft.rate} onChange={({ target }) => onChange({ rate: target.value as Rate })}>
          {(Object.keys(RATES) as Rate[]).sort((a, b) => a.length - b.length).map((rate) => (
            <option key={rate} value={rate}>
              {rate || "As many as I"}
            </option>
          ))}
        </Select>
        <Field label="A day at most" inputMode="decimal" placeholder="no limit" help="Of each quote token" value={draft.daily} onChange={({ target }) => onChange({ daily: target.value.trim() })} />
      </div>
      <TextArea
        label="Only from these networks"
        help="Addresses or networks, such as 203.0.113.7 or 2001:db8::/48. Empty: from anywhere."
        rows={2}
        value={draft.networks}
        onChange={({ target }) => onChange({ networks: target.value })}
      />
    </>
  );
}
