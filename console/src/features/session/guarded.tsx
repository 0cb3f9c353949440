import type { ReactNode } from "react";
import { hasRole, useMe } from "../../api/queries.ts";
import type { PageEntry } from "../../pages/registry.ts";
import { useSession } from "../../state/session.ts";
import { EmptyState, PageTitle, SkeletonRows } from "../../ui/index.ts";
import { SignInChoices } from "./sign_in_choices.tsx";

/**
 * A page for whoever may see it; the others are told why, and how. The server decides in the end: this only saves people
 * from screens full of refusals. A session that has expired keeps its page, and with it what was typed there.
 */
export function Guarded({ page, children }: { page: PageEntry; children: ReactNode }) {
  const { session } = useSession();
  const who = useMe();
  if (page.access === "public") return <>{children}</>;
  if (!session) {
    return (
      <>
        <PageTitle title={page.title} about="Sign in to see this page." />
        <SignInChoices />
      </>
    );
  }
  if (page.access === "signed-in") return <>{children}</>;
  if (!who) return <SkeletonRows />;
  if (!hasRole(who, ...page.access)) {
    return (
      <EmptyState title={`${page.title} is for another role`}>
        This page is for {page.access.join(" or ")}. You are signed in as {who.roles.join(", ") || "an investor"}.
      </EmptyState>
    );
  }
  return <>{children}</>;
}
