import { stagesOf, type Happened } from "../../domain/journey.ts";
import { Hex, Stepper, Time } from "../../ui/index.ts";

interface Props {
  readonly status: string;
  readonly events: readonly Happened[];
  readonly pairSymbol: string | null;
  readonly txHash: string | null;
}

/** The way of an asset, as it is now. */
export function Progress({ status, events, pairSymbol, txHash }: Props) {
  const stages = stagesOf(status, events, pairSymbol);
  return (
    <Stepper
      label="From the registration to an open market"
      steps={stages.map((stage) => ({
        title: stage.title,
        state: stage.state,
        detail: (
          <>
            {stage.at ? <Time at={stage.at} /> : null}
            {stage.note ? <p dir="auto">{stage.note}</p> : null}
            {stage.title === "Token deployed" && txHash ? (
              <p>
                Transaction <Hex value={txHash} />
              </p>
            ) : null}
          </>
        ),
      }))}
    />
  );
}
