import { useQuery } from "@tanstack/react-query";
import { differences } from "../../domain/free_form.ts";
import { proposedOf, settable, type Rules } from "../../domain/proposed_rules.ts";
import { Button, Notice } from "../../ui/index.ts";
import { Differences } from "../staff/differences.tsx";
import { assetOf } from "./queries.ts";

interface Props {
  readonly symbol: string;
  readonly marketId: string;
  readonly rules: Rules;
  readonly onSet: (proposal: Rules) => void;
}

/** What the issuer has proposed in the registration, as long as the rules are others. */
export function Proposal({ symbol, marketId, rules, onSet }: Props) {
  const asked = useQuery(assetOf(marketId));
  const proposal = proposedOf(asked.data?.asset.regulatoryInfo);
  if (!proposal) return null;
  const changes = differences(settable(rules), settable(proposal));
  if (changes.length === 0) return <p className="text-[13px] text-muted">As the issuer has proposed.</p>;
  return (
    <Notice tone="info" title="The issuer proposes">
      <Differences of={changes} />
      <div className="mt-2">
        <Button small aria-label={`Set the rules of ${symbol} as proposed`} onClick={() => onSet(proposal)}>
          Set as proposed
        </Button>
      </div>
    </Notice>
  );
}
