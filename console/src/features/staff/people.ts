/** Whose account is whose. The users that a screen names are asked about together, in one question. */

import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";

/** What an account looks like. */
export const ACCOUNT = /^0x[0-9a-f]{40}$/i;
/** So many ids fit in one question. */
const AT_ONCE = 100;

interface Waiting {
  readonly told: (account: string | null) => void;
  readonly failed: (error: unknown) => void;
}

const asked = new Map<string, Waiting[]>();

/** The account of a user, which is theirs for good; `null` for an id that is no user's. */
export function accountOf(userId: string) {
  return ask({ queryKey: ["people", userId], queryFn: () => together(userId), staleTime: Infinity });
}

/** The user of an account; `null` where nobody here has it. */
export function userOf(account: string) {
  return ask({
    queryKey: ["people", "of", account],
    queryFn: async ({ signal }) => (await api.get("/api/v1/admin/people", { query: { account }, signal })).data[0]?.userId ?? null,
  });
}

function together(userId: string): Promise<string | null> {
  return new Promise((told, failed) => {
    if (asked.size === 0) setTimeout(askAll, 0);
    asked.set(userId, [...(asked.get(userId) ?? []), { told, failed }]);
  });
}

function askAll(): void {
  const all = [...asked];
  asked.clear();
  for (let first = 0; first < all.length; first += AT_ONCE) void askSome(all.slice(first, first + AT_ONCE));
}

async function askSome(some: readonly (readonly [string, readonly Waiting[]])[]): Promise<void> {
  const waiting = some.flatMap(([userId, those]) => those.map((one) => ({ userId, ...one })));
  try {
    const { data } = await api.get("/api/v1/admin/people", { query: { userIds: some.map(([userId]) => userId).join(",") } });
    const accounts = new Map(data.map(({ userId, account }) => [userId, account]));
    for (const { userId, told } of waiting) told(accounts.get(userId) ?? null);
  } catch (error) {
    for (const { failed } of waiting) failed(error);
  }
}
