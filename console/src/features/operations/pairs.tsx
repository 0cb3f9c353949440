import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { hasRole, pairs, useMe, type Me, type Pair } from "../../api/queries.ts";
import { AuditLink } from "../staff/audit_link.tsx";
import { Button, EmptyState, Loaded, Quantity, Status, Table } from "../../ui/index.ts";
import { ChangeMode, STEPS, type Mode } from "./pair_mode.tsx";

const FROM: Readonly<Record<string, readonly Mode[]>> = { active: ["paused"], paused: ["active", "closed"] };

/** A market's pair follows its market, which compliance pauses and an admin archives; others are the operators'. */
function mayChange(who: Me | undefined, pair: Pair, mode: Mode): boolean {
  if (pair.marketId === null) return hasRole(who, "operator", "admin");
  return mode === "closed" ? hasRole(who, "admin") : hasRole(who, "compliance", "admin");
}

/** What each pair takes. Who did it, and why, stands in the audit timeline. */
export function Pairs() {
  const client = useQueryClient();
  const who = useMe();
  const asked = useQuery({ ...pairs, refetchInterval: 5_000 });
  const [step, setStep] = useState<{ readonly pair: Pair; readonly mode: Mode } | null>(null);
  const buttons = (pair: Pair) => {
    const modes = (FROM[pair.status] ?? []).filter((mode) => mayChange(who, pair, mode));
    if (modes.length === 0) return <span className="text-[13px] text-muted">{pair.marketId ? "Follows its market: compliance pauses it" : ""}</span>;
    return (
      <span className="inline-flex flex-wrap gap-2">
        {modes.map((mode) => (
          <Button key={mode} small aria-label={`${STEPS[mode].what}: ${pair.symbol}`} onClick={() => setStep({ pair, mode })}>
            {STEPS[mode].what}
          </Button>
        ))}
      </span>
    );
  };
  return (
    <>
      <Loaded of={asked}>
        {(all) => (
          <Table
            caption="Pairs"
            rows={all}
            rowKey={({ id }) => id}
            empty={<EmptyState title="No pair yet">One opens by itself when a market becomes active.</EmptyState>}
            columns={[
              { head: "Pair", primary: true, cell: ({ symbol }) => <span className="font-medium">{symbol}</span> },
              { head: "Takes", cell: ({ status }) => <Status of={status} /> },
              { head: "Tick", right: true, cell: ({ tickSize }) => <Quantity value={tickSize} places={18} /> },
              { head: "Lot", right: true, cell: ({ lotSize }) => <Quantity value={lotSize} places={18} /> },
              { head: "Fee", right: true, cell: ({ feeBps }) => <span className="figures">{feeBps} bps</span> },
              { head: "Record", wide: true, cell: ({ id, marketId }) => <AuditLink entityId={marketId ?? id}>Timeline</AuditLink> },
              { head: <span className="sr-only">Change</span>, right: true, cell: buttons },
            ]}
          />
        )}
      </Loaded>
      {step ? <ChangeMode key={`${step.pair.id} ${step.mode}`} {...step} onDone={() => void client.invalidateQueries({ queryKey: pairs.queryKey })} onClose={() => setStep(null)} /> : null}
    </>
  );
}
