import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { inZone, relative } from "../../domain/moment.ts";
import { shortHex } from "../../domain/words.ts";
import { Badge, Button, EmptyState, Loaded, Panel, useNow } from "../../ui/index.ts";
import { Person } from "../staff/person.tsx";
import { LastDay } from "./last_day.tsx";
import { endingBefore, regulated, type KycRecord } from "./queries.ts";

const AHEAD_MONTHS = 3;

/** Whose approval ends when, so that nobody is stopped by surprise. What has ended is found among the records. */
export function Calendar() {
  const [until] = useState(() => {
    const moment = new Date();
    moment.setMonth(moment.getMonth() + AHEAD_MONTHS);
    return moment.toISOString();
  });
  const asked = useInfiniteQuery(endingBefore(until));
  return (
    <Panel title="Expiry calendar">
      <Loaded of={asked}>
        {({ pages }) => {
          const months = byMonth(pages.flatMap(({ data }) => data));
          if (months.length === 0) return <EmptyState title="Nothing ends soon">No approval ends within {AHEAD_MONTHS} months.</EmptyState>;
          return (
            <div className="flex flex-col gap-5">
              {months.map(([month, inIt]) => (
                <Month key={month} month={month} records={inIt} />
              ))}
            </div>
          );
        }}
      </Loaded>
      {asked.hasNextPage ? (
        <Button className="mt-4" busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          Show later ones
        </Button>
      ) : null}
    </Panel>
  );
}

function byMonth(records: readonly KycRecord[]): [string, KycRecord[]][] {
  const months = new Map<string, KycRecord[]>();
  for (const record of records) {
    if (!record.expiresAt) continue;
    const month = inZone(record.expiresAt, { year: "numeric", month: "long", timeZone: "UTC" });
    months.set(month, [...(months.get(month) ?? []), record]);
  }
  return [...months];
}

function Month({ month, records }: { month: string; records: readonly KycRecord[] }) {
  return (
    <section>
      <h3 className="mb-1.5 text-[13px] font-semibold tracking-wide text-muted">{month}</h3>
      <ol className="flex flex-col divide-y divide-line">
        {records.map((record) => (
          <Ending key={`${record.userId} ${record.tokenId}`} record={record} />
        ))}
      </ol>
    </section>
  );
}

function Ending({ record }: { record: KycRecord }) {
  const now = useNow();
  const tokens = useQuery(regulated);
  const at = record.expiresAt ?? "";
  const isOver = new Date(at) <= now;
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-3 py-1.5">
      <span className="figures">
        <LastDay at={at} /> <span className="text-[13px] text-muted">· {relative(at, now)}</span>
      </span>
      <span className="flex flex-wrap items-baseline gap-2">
        <Person userId={record.userId} />
        <span>{tokens.data?.get(record.tokenId)?.symbol ?? shortHex(record.tokenId)}</span>
        {isOver ? <Badge tone="bad">Ended</Badge> : null}
      </span>
    </li>
  );
}
