import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { tell } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, ErrorState, Field, Loaded } from "../../ui/index.ts";
import { contacts } from "./questions.ts";

const NAMES: Readonly<Record<string, readonly [string, string]>> = {
  email: ["Mail", "you@example.com"],
  sms: ["Text message", "+351 912 345 678"],
};

/** Where I can be reached. Nothing but a code is sent to an address before it was proved. */
export function Contacts() {
  const asked = useQuery(contacts);
  return (
    <Loaded of={asked}>
      {({ contacts: given, available }) => {
        const channels = Object.keys(NAMES).filter((channel) => available.includes(channel) || given.some((contact) => contact.channel === channel));
        if (channels.length === 0) {
          return <EmptyState title="This installation reaches nobody outside">Its operator has named no mail server and no gateway for text messages. Everything stands in the feed.</EmptyState>;
        }
        return (
          <div className="divide-y divide-line">
            {channels.map((channel) => (
              <Channel key={channel} channel={channel} contact={given.find((contact) => contact.channel === channel)} />
            ))}
          </div>
        );
      }}
    </Loaded>
  );
}

function Channel({ channel, contact }: { channel: string; contact: Schemas["ContactAnswer"] | undefined }) {
  const client = useQueryClient();
  const [name = channel, example = ""] = NAMES[channel] ?? [];
  const [address, setAddress] = useState("");
  const [code, setCode] = useState("");
  const again = (): void => void client.invalidateQueries({ queryKey: ["contacts"] });
  const path = { channel: channel as "email" };
  const giving = useMutation({
    mutationFn: (to: string) => api.put("/api/v1/me/contacts/{channel}", { path, body: { address: to.trim() }, key: newKey() }),
    onSuccess: () => {
      tell("A code is on its way", "Eight digits, which hold for 15 minutes.");
      setAddress("");
      again();
    },
  });
  const proving = useMutation({
    mutationFn: () => api.post("/api/v1/me/contacts/{channel}/verify", { path, body: { code }, key: newKey() }),
    onSuccess: () => {
      tell("Proved");
      setCode("");
      again();
    },
  });
  const removing = useMutation({
    mutationFn: () => api.delete("/api/v1/me/contacts/{channel}", { path, key: newKey() }),
    onSuccess: again,
  });
  const error = giving.error ?? proving.error ?? removing.error;
  return (
    <section className="flex flex-col gap-3 p-4">
      <h2 className="flex items-center gap-2 font-semibold">
        {name} {contact ? <Badge tone={contact.verified ? "good" : "warn"}>{contact.verified ? "Proved" : "Not proved yet"}</Badge> : null}
      </h2>
      {contact ? (
        <div className="flex flex-wrap items-center gap-3">
          <span className="min-w-0 break-all">{contact.address}</span>
          <Button small tone="quiet" busy={removing.isPending} onClick={() => removing.mutate()}>
            Remove
          </Button>
        </div>
      ) : null}
      {contact && !contact.verified ? (
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            proving.mutate();
          }}
        >
          <Field label="The code that was sent there" inputMode="numeric" maxLength={8} value={code} onChange={(event) => setCode(event.target.value)} />
          <Button type="submit" tone="primary" busy={proving.isPending} reason={/^[0-9]{8}$/.test(code) ? null : "Eight digits"}>
            Prove it
          </Button>
          <Button busy={giving.isPending} onClick={() => giving.mutate(contact.address)}>
            Send another code
          </Button>
        </form>
      ) : null}
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          giving.mutate(address);
        }}
      >
        <Field label={contact ? "Another address" : "Address"} placeholder={example} value={address} maxLength={254} onChange={(event) => setAddress(event.target.value)} />
        <Button type="submit" busy={giving.isPending} reason={address.trim().length < 3 ? "Write an address" : null}>
          Send a code there
        </Button>
      </form>
      {error ? <ErrorState error={error} /> : null}
    </section>
  );
}
