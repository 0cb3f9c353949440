import { Link, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { hasRole, useMe, type Me } from "../api/queries.ts";
import { ALL_PAGES, type Group, type PageEntry } from "../pages/registry.ts";
import { shown, together, useWork, type Work } from "../features/staff/work.ts";
import { Badge, Button, Dialog } from "../ui/index.ts";

const GROUPS: readonly Group[] = ["Exchange", "Issuance", "Compliance", "Operations", "Developers"];
const LINK =
  "rounded px-2 py-1 whitespace-nowrap text-muted hover:bg-raised hover:text-text data-[status=active]:bg-accent-soft data-[status=active]:font-medium data-[status=active]:text-accent";

/** What this person may open, by group. Their own things stand there before they sign in too, except for roles. */
function pagesOf(group: Group, who: Me | undefined): readonly PageEntry[] {
  return ALL_PAGES.filter(
    (page) => page.group === group && (typeof page.access === "string" || (who && hasRole(who, ...page.access))),
  );
}

function address(page: PageEntry): string {
  return page.path.replace(/\/\$.*$/, "");
}

/** A page, with how much waits there: a number to the eye, a sentence to the ear. */
function PageLink({ page, work, className = LINK }: { page: PageEntry; work: Work | undefined; className?: string }) {
  return (
    <Link to={address(page)} className={`${className} inline-flex items-center justify-between gap-2`} aria-label={named(page.title, work)}>
      {page.title}
      <Count of={work} />
    </Link>
  );
}

function named(title: string, work: Work | undefined): string | undefined {
  return work ? `${title}, ${work.said}` : undefined;
}

function Count({ of: work }: { of: Work | undefined }) {
  return work ? <Badge tone="accent">{shown(work)}</Badge> : null;
}

export function Navigation() {
  const who = useMe();
  const work = useWork();
  return (
    <nav aria-label="Pages" className="flex min-w-0 items-center gap-0.5 max-lg:hidden">
      {pagesOf("Exchange", who).map((page) => (
        <PageLink key={page.path} page={page} work={work.get(page.path)} />
      ))}
      {GROUPS.slice(1).map((group) => {
        const pages = pagesOf(group, who);
        const all = together(work, pages.map(({ path }) => path));
        return pages.length > 0 ? (
          <Menu key={group} name={named(group, all)} label={<>{group} <Count of={all} /></>}>
            {pages.map((page) => (
              <PageLink key={page.path} page={page} work={work.get(page.path)} />
            ))}
          </Menu>
        ) : null;
      })}
    </nav>
  );
}

/** A button that shows more below it. Escape and a look elsewhere close it. */
export function Menu({ label, name, right, children }: { label: ReactNode; name?: string | undefined; right?: boolean; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const { href } = useLocation();
  useEffect(() => setOpen(false), [href]);
  return (
    <div
      ref={box}
      className="relative"
      onBlur={(event) => {
        if (!box.current?.contains(event.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        box.current?.querySelector("button")?.focus();
      }}
    >
      <Button tone="quiet" small aria-label={name} aria-expanded={open} onClick={() => setOpen(!open)}>
        {label} <span aria-hidden="true">▾</span>
      </Button>
      {open ? (
        <div
          tabIndex={-1}
          className={`absolute top-full z-50 mt-1 flex min-w-48 flex-col gap-0.5 rounded-md border border-line bg-panel p-1.5 shadow-xl outline-none ${right ? "right-0" : "left-0"}`}
        >
          {children}
        </div>
      ) : null}
    </div>
  );
}

export function PhoneNavigation() {
  const who = useMe();
  const work = useWork();
  const all = together(work, [...work.keys()]);
  const [open, setOpen] = useState(false);
  const { href } = useLocation();
  useEffect(() => setOpen(false), [href]);
  return (
    <div className="lg:hidden">
      <Button tone="quiet" small aria-label={named("Menu", all) ?? "Menu"} aria-expanded={open} onClick={() => setOpen(true)}>
        <span aria-hidden="true">☰</span>
        <Count of={all} />
      </Button>
      <Dialog open={open} title="Menu" onClose={() => setOpen(false)}>
        <nav aria-label="Pages" className="flex flex-col gap-4">
          {GROUPS.map((group) => {
            const pages = pagesOf(group, who);
            return pages.length > 0 ? (
              <section key={group} className="flex flex-col gap-0.5">
                <h3 className="px-2 text-[13px] font-medium text-muted">{group}</h3>
                {pages.map((page) => (
                  <PageLink key={page.path} page={page} work={work.get(page.path)} className={`${LINK} py-2`} />
                ))}
              </section>
            ) : null;
          })}
        </nav>
      </Dialog>
    </div>
  );
}
