/** What waits for this officer, by the page where it is done: numbers for the navigation. */

import { useQuery } from "@tanstack/react-query";
import { hasRole, useMe } from "../../api/queries.ts";
import { waiting, waitingMints } from "../approvals/queries.ts";
import { endingSoon } from "../compliance/queries.ts";

/** Registrations come by the feed too; a page that nobody sees does not ask. */
const EVERY_MS = 30_000;

export interface Work {
  readonly count: number;
  readonly hasMore: boolean;
  /** Such as `3 waiting`. */
  readonly said: string;
}

export function useWork(): ReadonlyMap<string, Work> {
  const who = useMe();
  const decides = hasRole(who, "compliance", "admin");
  const keeps = hasRole(who, "compliance");
  const registrations = useQuery({ ...waiting, enabled: decides, refetchInterval: EVERY_MS });
  const mints = useQuery({ ...waitingMints, enabled: decides, refetchInterval: EVERY_MS });
  const ending = useQuery({ ...endingSoon, enabled: keeps, refetchInterval: EVERY_MS });
  const found = new Map<string, Work>();
  const put = (path: string, count: number, hasMore: boolean, words: string): void => {
    if (count > 0) found.set(path, { count, hasMore, said: `${shown({ count, hasMore })} ${words}` });
  };
  if (decides) put("/approvals", (registrations.data?.length ?? 0) + (mints.data?.length ?? 0), false, "waiting");
  if (keeps && ending.data) put("/compliance", ending.data.count, ending.data.hasMore, ending.data.count === 1 ? "ends soon" : "end soon");
  return found;
}

export function shown({ count, hasMore }: Pick<Work, "count" | "hasMore">): string {
  return `${count}${hasMore ? "+" : ""}`;
}

/** Of several pages together; nothing where nothing waits. */
export function together(work: ReadonlyMap<string, Work>, paths: readonly string[]): Work | undefined {
  const those = paths.flatMap((path) => work.get(path) ?? []);
  if (those.length === 0) return undefined;
  const count = those.reduce((sum, one) => sum + one.count, 0);
  const hasMore = those.some((one) => one.hasMore);
  return { count, hasMore, said: `${shown({ count, hasMore })} waiting` };
}
