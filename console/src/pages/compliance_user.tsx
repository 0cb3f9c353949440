import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../api/client.ts";
import { hasRole, useMe } from "../api/queries.ts";
import { sentence } from "../domain/words.ts";
import { EditRecord } from "../features/compliance/edit_record.tsx";
import { Enforcement, Reached } from "../features/compliance/enforcement.tsx";
import { LastDay } from "../features/compliance/last_day.tsx";
import { Notes } from "../features/compliance/notes.tsx";
import { exposureOf, regulated, standingOf, type KycRecord, type Standing } from "../features/compliance/queries.ts";
import { AuditLink } from "../features/staff/audit_link.tsx";
import { Person } from "../features/staff/person.tsx";
import { Badge, Button, EmptyState, Facts, Loaded, Nothing, Notice, PageTitle, Panel, Select, Status, Table, Time } from "../ui/index.ts";

type Token = Schemas["ListedToken"];

export default function ComplianceUser() {
  const { user = "" } = useParams({ strict: false }) as { user?: string };
  const asked = useQuery(standingOf(user));
  return (
    <>
      <PageTitle title="Standing of a user" actions={<AuditLink entityId={user}>What happened to them</AuditLink>} />
      <Loaded of={asked}>{(standing) => <Shown standing={standing} />}</Loaded>
    </>
  );
}

function Shown({ standing }: { standing: Standing }) {
  const exposure = useQuery(exposureOf(standing.userId));
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Panel title="Account">
        <div className="flex flex-col gap-4">
          {standing.frozen ? (
            <Notice tone="bad" title="Frozen">
              <span dir="auto">{standing.frozenReason}</span>
            </Notice>
          ) : null}
          {standing.sanctioned ? (
            <Notice tone="bad" title="On the sanctions list">
              It is not served.
            </Notice>
          ) : null}
          <Facts
            facts={[
              ["Account", <Person userId={standing.userId} account={standing.account} whole />],
              ["Screened", <Time at={standing.screenedAt} />],
              ["The chain", standing.onChain ? <Badge tone="good">Has heard of all of it</Badge> : <Badge tone="warn">Is being told</Badge>],
            ]}
          />
          <Enforcement standing={standing} />
        </div>
      </Panel>
      <Panel title="What a freeze would reach">
        <Loaded of={exposure}>{(told) => <Reached exposure={told} />}</Loaded>
      </Panel>
      <Panel title="Records" flush className="lg:col-span-2">
        <Records standing={standing} />
      </Panel>
      <div className="lg:col-span-2">
        <Notes userId={standing.userId} />
      </div>
    </div>
  );
}

function Records({ standing }: { standing: Standing }) {
  const tokens = useQuery(regulated);
  const mayWrite = hasRole(useMe(), "compliance");
  const [editing, setEditing] = useState<{ readonly token: Token; readonly record: KycRecord | null } | null>(null);
  return (
    <Loaded of={tokens}>
      {(known) => (
        <>
          <Table
            caption="Records of this user"
            rows={standing.records}
            rowKey={(record) => record.tokenId}
            empty={<EmptyState title="No record">They may hold no issued token yet. Write one below, or have them ask to be verified.</EmptyState>}
            columns={[
              { head: "Token", primary: true, cell: ({ tokenId }) => <span className="font-medium">{known.get(tokenId)?.symbol ?? tokenId}</span> },
              { head: "KYC", cell: ({ kycStatus }) => <Status of={kycStatus} /> },
              { head: "Level", right: true, cell: ({ kycLevel }) => <span className="figures">{kycLevel}</span> },
              { head: "Whitelist", cell: ({ whitelisted }) => (whitelisted ? "On it" : <Nothing said="not on the whitelist" />) },
              { head: "Accreditation", cell: ({ accreditation }) => sentence(accreditation) },
              { head: "Accreditation ends", cell: ({ accreditationExpiresAt }) => <LastDay at={accreditationExpiresAt} /> },
              { head: "Country", cell: ({ jurisdiction }) => jurisdiction ?? <Nothing said="unknown" /> },
              { head: "KYC ends", cell: ({ expiresAt }) => <LastDay at={expiresAt} /> },
              { head: "Provider", wide: true, cell: ({ provider }) => provider },
              { head: "Written", wide: true, cell: ({ updatedAt }) => <Time at={updatedAt} shape="relative" /> },
              {
                head: <span className="sr-only">Change</span>,
                right: true,
                cell: (record) => {
                  const token = known.get(record.tokenId);
                  return token && mayWrite ? (
                    <Button small onClick={() => setEditing({ token, record })} aria-label={`Change the record for ${token.symbol}`}>
                      Change
                    </Button>
                  ) : null;
                },
              },
            ]}
          />
          {mayWrite ? <NewRecord tokens={[...known.values()]} standing={standing} onChosen={(token) => setEditing({ token, record: null })} /> : null}
          {editing ? <EditRecord {...editing} userId={standing.userId} onClose={() => setEditing(null)} /> : null}
        </>
      )}
    </Loaded>
  );
}

function NewRecord({ tokens, standing, onChosen }: { tokens: readonly Token[]; standing: Standing; onChosen: (token: Token) => void }) {
  const [chosen, setChosen] = useState("");
  const missing = tokens.filter(({ id }) => !standing.records.some(({ tokenId }) => tokenId === id));
  const token = missing.find(({ id }) => id === chosen);
  if (missing.length === 0) return null;
  return (
    <div className="flex flex-wrap items-end gap-2 border-t border-line p-4">
      <Select label="Write a record for another token" value={chosen} onChange={({ target }) => setChosen(target.value)}>
        <option value="">Choose a token</option>
        {missing.map(({ id, symbol }) => (
          <option key={id} value={id}>
            {symbol}
          </option>
        ))}
      </Select>
      <Button reason={token ? null : "Choose a token first"} onClick={() => token && onChosen(token)}>
        Begin
      </Button>
    </div>
  );
}
