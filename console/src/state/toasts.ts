/** Short messages about what has just happened. Refusals stay until they are closed, and carry their request id. */

import { ApiProblem } from "../api/problem.ts";
import { announce } from "./announcements.ts";
import { createStore } from "./store.ts";

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad" | "info";
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
}

const GONE_AFTER_MS = 6_000;
const AT_MOST = 4;
let last = 0;

export const toasts = createStore<readonly Toast[]>([]);

function show(toast: Omit<Toast, "id">): void {
  last += 1;
  const id = last;
  toasts.set((before) => [...before, { ...toast, id }].slice(-AT_MOST));
  announce(`${toast.title}. ${toast.detail}`);
  if (toast.tone !== "bad") setTimeout(() => closeToast(id), GONE_AFTER_MS);
}

export function closeToast(id: number): void {
  toasts.set((before) => before.filter((toast) => toast.id !== id));
}

export function tell(title: string, detail = ""): void {
  show({ tone: "good", title, detail, requestId: "" });
}

export function tellNews(title: string, detail = ""): void {
  show({ tone: "info", title, detail, requestId: "" });
}

/** What went wrong, whoever threw it. */
export function tellProblem(error: unknown): void {
  if (error instanceof ApiProblem) {
    show({ tone: "bad", title: error.title, detail: error.detail, requestId: error.requestId });
  } else {
    show({ tone: "bad", title: "That did not work", detail: error instanceof Error ? error.message : "", requestId: "" });
  }
}
