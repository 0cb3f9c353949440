import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Suspense, useEffect, useRef } from "react";
import { Bell } from "../features/notifications/bell.tsx";
import { useConnectionState } from "../live/hooks.ts";
import { MyEvents } from "../live/mine.tsx";
import { ALL_PAGES } from "../pages/registry.ts";
import { Button, ConnectionBadge, SkeletonRows } from "../ui/index.ts";
import { Announcer, Toaster } from "../ui/toaster.tsx";
import { AccountMenu } from "./account_menu.tsx";
import { CommandMenu, useCommandMenu } from "./command_menu.tsx";
import { DemoBar } from "./demo_bar.tsx";
import { Footer } from "./footer.tsx";
import { Navigation, PhoneNavigation } from "./navigation.tsx";
import { SessionEnded } from "./session_ended.tsx";
import { ThemeSwitch } from "./theme_switch.tsx";

/** What stands around every page. */
export function Shell() {
  const main = useRef<HTMLElement>(null);
  useArrival(main);
  const [commanding, setCommanding] = useCommandMenu();
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#main" className="sr-only z-50 rounded bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        Skip to the content
      </a>
      <header className="no-print sticky top-0 z-40 border-b border-line bg-panel">
        <div className="flex h-12 items-center gap-1 px-3 sm:px-4">
          <PhoneNavigation />
          <Link to="/markets" className="mr-3 flex items-center gap-2 rounded font-semibold tracking-tight" aria-label="Deedbook, to the markets">
            <img src="/app/icon.svg" alt="" className="size-6" />
            <span className="max-[420px]:hidden">Deedbook</span>
          </Link>
          <Navigation />
          <div className="ml-auto flex items-center gap-1">
            <ConnectionBadge state={useConnectionState()} />
            <Button tone="quiet" small className="max-sm:hidden" title="Ctrl-K" onClick={() => setCommanding(true)}>
              Go to
            </Button>
            <Bell />
            <ThemeSwitch />
            <AccountMenu />
          </div>
        </div>
        <DemoBar />
      </header>
      <main id="main" ref={main} tabIndex={-1} className="mx-auto w-full max-w-[1800px] flex-1 px-3 py-4 outline-none sm:px-4">
        <Suspense fallback={<SkeletonRows />}>
          <Outlet />
        </Suspense>
      </main>
      <Footer />
      <Toaster />
      <Announcer />
      <SessionEnded />
      {commanding ? <CommandMenu onClose={() => setCommanding(false)} /> : null}
      <MyEvents />
    </div>
  );
}

/** A new page: its title in the tab, and the reader at its beginning. */
function useArrival(main: React.RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  const first = useRef(true);
  useEffect(() => {
    const page = ALL_PAGES.find(({ path }) => matches(path, pathname));
    document.title = page ? `${page.title} · Deedbook` : "Deedbook";
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, main]);
}

function matches(template: string, pathname: string): boolean {
  const [wanted, had] = [template.split("/"), pathname.replace(/\/$/, "").split("/")];
  return wanted.length === had.length && wanted.every((part, place) => part.startsWith("$") || part === had[place]);
}
