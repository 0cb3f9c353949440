/** What is on record of a market: its documents, the rules of its token, and what has happened. */

import { useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { sentence } from "../../domain/words.ts";
import { EmptyState, Facts, Hex, Loaded, Nothing, Notice, Quantity, Status, Table, Time } from "../../ui/index.ts";

export function DocumentsOnRecord({ documents }: { documents: readonly Schemas["DocumentAnswer"][] }) {
  return (
    <Table
      caption="Documents"
      rows={documents}
      rowKey={(row) => row.id}
      empty={<EmptyState title="No document was put on record">Documents are part of a registration.</EmptyState>}
      columns={[
        { head: "Document", primary: true, cell: (row) => <span className="font-medium">{row.title}</span> },
        { head: "Kind", cell: (row) => sentence(row.kind) },
        { head: "Version", right: true, cell: (row) => <span className="figures">{row.version}</span> },
        { head: "On record since", cell: (row) => <Time at={row.createdAt} /> },
        { head: "SHA-256", cell: (row) => <Hex value={row.sha256} /> },
      ]}
    />
  );
}

export function RulesInForce({ tokenId, symbol }: { tokenId: string; symbol: string }) {
  const asked = useQuery({
    queryKey: ["market", "rules", tokenId],
    queryFn: ({ signal }) => api.get("/api/v1/tokens/{id}/rules", { path: { id: tokenId }, signal }),
  });
  return (
    <Loaded of={asked}>
      {(rules) => (
        <div className="flex flex-col gap-4 p-4">
          <Notice>In force, as compliance has set them. Ask an officer to have them changed.</Notice>
          <Facts
            facts={[
              ["Transfers", <Status key="p" of={rules.paused ? "paused" : "open"} />],
              ["Identity verified to", `Level ${rules.minKycLevel}`],
              ["Accredited alone", rules.accreditationRequired ? "Yes" : "No"],
              ["Residents of", rules.allowedJurisdictions.join(", ") || "any country"],
              ["But not of", rules.blockedJurisdictions.join(", ") || <Nothing key="b" />],
              ["Holders at most", rules.maxHolders ?? <Nothing key="h" />],
              ["Held by one at most", <Quantity key="o" value={rules.maxOwnership} unit={symbol} />],
              ["Locked up for", rules.lockUpDays ? `${rules.lockUpDays} days` : <Nothing key="l" />],
            ]}
          />
        </div>
      )}
    </Loaded>
  );
}

export function History({ events }: { events: readonly Schemas["MarketEventAnswer"][] }) {
  return (
    <Table
      caption="History"
      rows={[...events].reverse()}
      rowKey={(row) => row.id}
      columns={[
        { head: "What", primary: true, cell: (row) => <span className="font-medium">{sentence(row.eventType.replace("market.", ""))}</span> },
        { head: "When", cell: (row) => <Time at={row.createdAt} /> },
        { head: "By", cell: (row) => (row.actorId ? <Hex value={row.actorId} /> : sentence(row.actorType)) },
        { head: "Why", cell: (row) => row.reason || <Nothing /> },
      ]}
    />
  );
}
