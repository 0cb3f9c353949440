import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { hasRole, useMe } from "../../api/queries.ts";
import { shortHex } from "../../domain/words.ts";
import { classes, CopyButton, Hex } from "../../ui/index.ts";
import { accountOf } from "./people.ts";

interface Props {
  readonly userId: string;
  /** Where the answer that is shown has it; else it is asked for. */
  readonly account?: string;
  /** Not cut, where there is room for all of it. */
  readonly whole?: boolean;
}

/**
 * Somebody as staff can compare them: by the account, which wallets and explorers show too. Ids of one moment begin alike,
 * so that cut ones look the same; they stand below, for whoever searches a log.
 */
export function Person({ userId, account, whole }: Props) {
  const known = useAccount(userId, account);
  if (known === null) return <Hex value={userId} {...(whole ? { whole } : {})} />;
  return (
    <span className={classes("inline-flex max-w-full min-w-0 flex-col align-top", whole && "gap-1")}>
      <span className="inline-flex max-w-full items-center gap-1">
        <Standing userId={userId} title={known} className={whole ? "break-all" : ""}>
          {known === undefined ? "…" : whole ? known : shortHex(known)}
        </Standing>
        {known === undefined ? null : <CopyButton text={known} label={`Copy the account ${shortHex(known)}`} />}
      </span>
      <span className="inline-flex max-w-full items-center gap-1 text-[12px] text-muted">
        user {whole ? <Hex value={userId} whole /> : <span title={userId}>{shortHex(userId)}</span>}
      </span>
    </span>
  );
}

/** The same in one line and without anything to press, for where the whole line is pressed. */
export function PersonName({ userId }: { userId: string }) {
  const known = useAccount(userId);
  return (
    <code className="font-mono" title={known ?? userId}>
      {known === undefined ? "…" : shortHex(known ?? userId)}
    </code>
  );
}

/** `undefined` until it is known, `null` for an id that is no user's, or that nobody could be asked about. */
function useAccount(userId: string, given?: string): string | null | undefined {
  const { data, isError } = useQuery({ ...accountOf(userId), enabled: given === undefined });
  return given ?? (isError ? null : data);
}

/** To how they stand with compliance, for those who may look. */
function Standing({ userId, title, className, children }: { userId: string; title: string | undefined; className: string; children: ReactNode }) {
  const mayLook = hasRole(useMe(), "compliance", "admin");
  const look = classes("font-mono text-[13px]", className);
  if (!mayLook) {
    return (
      <code className={look} title={title}>
        {children}
      </code>
    );
  }
  return (
    <Link to={`/compliance/${userId}`} title={title} className={`${look} text-accent underline-offset-2 hover:underline`}>
      {children}
    </Link>
  );
}
