import { inZone, utcDay, utcHour } from "../../domain/moment.ts";
import { Nothing } from "../../ui/index.ts";

/** Until when a record holds: the day by UTC, as it is entered. Where the reader is it may be the next one already. */
export function LastDay({ at }: { at: string | null | undefined }) {
  if (!at) return <Nothing said="without an end" />;
  return (
    <time dateTime={at} title={inZone(at)} className="figures">
      {utcDay(at)} <span className="text-[12px] whitespace-nowrap text-muted">{utcHour(at)}</span>
    </time>
  );
}
