/** What of the record is looked for. It stands in the address, so that a link leads to the same rows. */

import { useNavigate, useSearch } from "@tanstack/react-router";

export interface Wanted {
  readonly entityType: string;
  readonly entityId: string;
  readonly actorId: string;
  readonly action: string;
  /** Days in the reader's zone, both included. */
  readonly from: string;
  readonly to: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const WORD = /^[A-Za-z][A-Za-z0-9_.]{0,99}$/;
/** Of this century or the next, as the API takes moments. */
const DAY = /^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}$/;

export function useWanted(): readonly [Wanted, (change: Partial<Wanted>) => void] {
  const told = useSearch({ strict: false }) as Partial<Wanted>;
  const navigate = useNavigate();
  const wanted = {
    entityType: told.entityType ?? "",
    entityId: told.entityId ?? "",
    actorId: told.actorId ?? "",
    action: told.action ?? "",
    from: told.from ?? "",
    to: told.to ?? "",
  };
  const change = (next: Partial<Wanted>): void =>
    void navigate({ to: "/audit", search: { ...wanted, ...next } as never, replace: true });
  return [wanted, change];
}

export function idProblem(text: string): string | null {
  return text === "" || UUID.test(text) ? null : "An id looks like 01a216a7-c307-75d5-a46e-eea633a509da.";
}

export function actionProblem(text: string): string | null {
  return text === "" || WORD.test(text) ? null : "Letters, dots and underscores, such as market.approved.";
}

/** For the API: only what is whole, and moments in place of days. */
export function asQuery({ entityType, entityId, actorId, action, from, to }: Wanted) {
  return {
    ...(entityType ? { entityType } : {}),
    ...(UUID.test(entityId) ? { entityId } : {}),
    ...(UUID.test(actorId) ? { actorId } : {}),
    ...(WORD.test(action) ? { action } : {}),
    ...(isDay(from) ? { from: startOf(from, 0) } : {}),
    ...(isDay(to) ? { to: startOf(to, 1) } : {}),
  };
}

function isDay(told: string): boolean {
  return DAY.test(told) && !isNaN(new Date(`${told}T00:00:00`).getTime());
}

/** When a day begins here, or so many days later. */
function startOf(day: string, later: number): string {
  const moment = new Date(`${day}T00:00:00`);
  moment.setDate(moment.getDate() + later);
  return moment.toISOString();
}

const EXPORTED_DAYS = 30;

/** What an export covers: the days that are looked at, or the last thirty. */
export function exportPeriod(wanted: Wanted, now: Date): { readonly from: string; readonly to: string } {
  const { from, to } = asQuery(wanted);
  const end = to ?? now.toISOString();
  const begin = new Date(end);
  begin.setDate(begin.getDate() - EXPORTED_DAYS);
  return { from: from ?? begin.toISOString(), to: end };
}
