/** What is asked of my notifications. */

import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";

const EVERY_MS = 10_000;

export const unread = ask({
  queryKey: ["notifications", "unread"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/me/notifications/unread-count", { signal })).unread,
  refetchInterval: EVERY_MS,
});

export function notification(id: string) {
  return ask({
    queryKey: ["notifications", "one", id],
    queryFn: ({ signal }) => api.get("/api/v1/me/notifications/{id}", { path: { id }, signal }),
  });
}

export const preferences = ask({
  queryKey: ["notification-preferences"],
  queryFn: async ({ signal }) => (await api.get("/api/v1/me/notification-preferences", { signal })).preferences,
});

export const contacts = ask({
  queryKey: ["contacts"],
  queryFn: ({ signal }) => api.get("/api/v1/me/contacts", { signal }),
});

export const browsers = ask({
  queryKey: ["push-subscriptions"],
  queryFn: ({ signal }) => api.get("/api/v1/me/push-subscriptions", { signal }),
});
