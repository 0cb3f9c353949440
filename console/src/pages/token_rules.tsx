import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../api/client.ts";
import type { Rules as Settable } from "../domain/proposed_rules.ts";
import { Proposal } from "../features/compliance/proposal.tsx";
import { regulated, rulesOf } from "../features/compliance/queries.ts";
import { RulesForm } from "../features/compliance/rules_form.tsx";
import { AuditLink } from "../features/staff/audit_link.tsx";
import { ReasonDialog } from "../features/staff/reason_dialog.tsx";
import { Badge, Button, EmptyState, Facts, Loaded, PageTitle, Panel, Quantity, SkeletonRows } from "../ui/index.ts";

type Token = Schemas["ListedToken"];
type Rules = Schemas["RulesAnswer"];

export default function TokenRules() {
  const tokens = useQuery(regulated);
  return (
    <>
      <PageTitle title="Token rules" about="What each issued token asks of those who hold it, and whether it moves at all." />
      <Loaded of={tokens}>
        {(known) =>
          known.size > 0 ? (
            <div className="grid items-start gap-4 md:grid-cols-2 xl:grid-cols-3">
              {[...known.values()].map((token) => (
                <OneToken key={token.id} token={token} />
              ))}
            </div>
          ) : (
            <EmptyState title="No issued token yet">Each approved market brings one, with rules that let nobody in unseen.</EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

function OneToken({ token }: { token: Token }) {
  const asked = useQuery(rulesOf(token.id));
  return (
    <Panel title={token.symbol}>
      <Loaded of={asked} waiting={<SkeletonRows rows={4} />}>
        {(rules) => <Shown token={token} rules={rules} />}
      </Loaded>
    </Panel>
  );
}

function Shown({ token, rules }: { token: Token; rules: Rules }) {
  const client = useQueryClient();
  const [doing, setDoing] = useState<"edit" | "pause" | null>(null);
  const [start, setStart] = useState<Settable>(rules);
  const edit = (from: Settable): void => {
    setStart(from);
    setDoing("edit");
  };
  const path = { id: token.id };
  return (
    <div className="flex flex-col gap-4">
      <Facts
        facts={[
          ["Moves", rules.paused ? <Badge tone="bad">Paused</Badge> : <Badge tone="good">Yes</Badge>],
          ["KYC level", `${rules.minKycLevel} at least`],
          ["Accreditation", rules.accreditationRequired ? "Required" : "Not required"],
          ["Allowed", rules.allowedJurisdictions.join(", ") || "Every country"],
          ["Blocked", rules.blockedJurisdictions.join(", ") || "No country"],
          ["Holders", rules.maxHolders === null ? "No limit" : `${rules.maxHolders} at most`],
          ["One owns", rules.maxOwnership === null ? "No limit" : <Quantity value={rules.maxOwnership} unit={token.symbol} />],
          ["Lock-up", rules.lockUpDays === 0 ? "None" : `${rules.lockUpDays} days`],
        ]}
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button small aria-label={`Change the rules of ${token.symbol}`} onClick={() => edit(rules)}>
          Change
        </Button>
        <Button small aria-label={`${rules.paused ? "Let" : "Pause"} ${token.symbol}${rules.paused ? " move" : ""}`} onClick={() => setDoing("pause")}>
          {rules.paused ? "Let it move" : "Pause"}
        </Button>
        <AuditLink entityId={token.id} />
      </div>
      {token.marketId ? <Proposal symbol={token.symbol} marketId={token.marketId} rules={rules} onSet={edit} /> : null}
      {doing === "edit" ? <RulesForm symbol={token.symbol} rules={rules} start={start} onClose={() => setDoing(null)} /> : null}
      {doing === "pause" ? (
        <ReasonDialog
          title={rules.paused ? `Let ${token.symbol} move again?` : `Pause ${token.symbol}?`}
          what={rules.paused ? "Let it move" : "Pause it"}
          done={rules.paused ? "The token moves again" : "The token is paused"}
          tone={rules.paused ? "primary" : "danger"}
          reason="required"
          onDo={(reason, key) =>
            rules.paused
              ? api.post("/api/v1/tokens/{id}/unpause", { path, body: { reason }, key })
              : api.post("/api/v1/tokens/{id}/pause", { path, body: { reason }, key })
          }
          onDone={() => void client.invalidateQueries({ queryKey: rulesOf(token.id).queryKey })}
          onClose={() => setDoing(null)}
        >
          <p>
            {rules.paused
              ? "Orders, transfers and withdrawals go on, as far as the records of both sides allow."
              : "No order, mint, transfer or withdrawal of it goes through, here and on the chain, until somebody lets it move."}
          </p>
        </ReasonDialog>
      ) : null}
    </div>
  );
}
