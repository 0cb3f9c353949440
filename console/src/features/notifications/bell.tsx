import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useSession } from "../../state/session.ts";
import { unread } from "./questions.ts";

const MOST_SHOWN = 99;

/** How much is new; pressing it shows what. */
export function Bell() {
  const { standing } = useSession();
  const asked = useQuery({ ...unread, enabled: standing === "signed-in" });
  if (standing !== "signed-in") return null;
  const count = asked.data ?? 0;
  const shown = count > MOST_SHOWN ? `${MOST_SHOWN}+` : String(count);
  return (
    <Link to="/notifications" aria-label={count > 0 ? `Notifications: ${shown} unread` : "Notifications"} className="relative rounded px-2 py-1 text-muted hover:bg-raised hover:text-text">
      <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5 fill-none stroke-current" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M4.5 14h11l-1.4-2V8.6a4.1 4.1 0 0 0-8.2 0V12zM8.2 16.4a1.9 1.9 0 0 0 3.6 0" />
      </svg>
      {count > 0 ? (
        <span aria-hidden="true" className="figures absolute -top-0.5 -right-0.5 rounded-full bg-accent px-1 text-[11px] font-semibold text-on-accent">
          {shown}
        </span>
      ) : null}
    </Link>
  );
}
