import { Link } from "@tanstack/react-router";

/** From a row to everything that ever happened to it. */
export function AuditLink({ entityType, entityId, children = "Audit timeline" }: { entityType?: string; entityId: string; children?: string }) {
  return (
    <Link
      to="/audit"
      search={{ entityId, ...(entityType ? { entityType } : {}) } as never}
      className="rounded text-accent underline underline-offset-2 hover:no-underline"
    >
      {children}
    </Link>
  );
}
