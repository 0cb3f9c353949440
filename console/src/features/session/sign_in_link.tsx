import { Link, useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { backFrom } from "../../domain/way_back.ts";

/** To the sign-in, and from there back to this page. */
export function SignInLink({ className, children }: { className: string; children: ReactNode }) {
  const { pathname, searchStr } = useLocation();
  return (
    <Link to="/sign-in" search={{ back: backFrom(pathname, searchStr) } as never} className={className}>
      {children}
    </Link>
  );
}
