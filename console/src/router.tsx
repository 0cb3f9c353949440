/** Addresses to pages, from the registry. Below `/app`; what the server does not know as a file, it answers with us. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { Guarded } from "./features/session/guarded.tsx";
import { LOADERS } from "./pages/loaders.ts";
import { ALL_PAGES, type PageEntry, type PagePath } from "./pages/registry.ts";
import { Shell } from "./shell/shell.tsx";
import { EmptyState, ErrorState } from "./ui/index.ts";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <EmptyState title="There is no such page">Look in the navigation above.</EmptyState>,
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/markets", replace: true });
  },
});

function routeOf(page: PageEntry) {
  const Page = lazyRouteComponent(LOADERS[page.path as PagePath]) as ComponentType;
  return createRoute({
    getParentRoute: () => root,
    path: page.path,
    component: () => (
      <Guarded page={page}>
        <Page />
      </Guarded>
    ),
    errorComponent: ({ error }) => <ErrorState error={error} />,
  });
}

export const router = createRouter({
  basepath: "/app",
  routeTree: root.addChildren([start, ...ALL_PAGES.map(routeOf)]),
  defaultPreload: "intent",
  // Texts stay as they were written: symbols look like numbers to nobody.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search as Record<string, unknown>).flatMap(([name, value]) =>
        value === undefined || value === "" ? [] : [[name, String(value)]],
      ),
    ).toString();
    return text ? `?${text}` : "";
  },
});
