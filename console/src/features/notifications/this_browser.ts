/** This browser as a place where I am told: the worker that shows what is pushed, and the subscription it has. */

import type { Schemas } from "../../api/client.ts";

const WORKER = "/app/push.js";
const SCOPE = "/app/";
const KEY = "deedbook.push";

type Offer = Pick<Schemas["Subscribe"], "endpoint" | "keys">;

/** The part of Trusted Types that is needed here: a page with our policy registers no worker by a bare text. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

/** The browser shows nothing from here; says what its user can do. */
export class NotShown extends Error {}

const DENIED = "This browser shows no notifications from here. Allow them in its settings for this site, and come back.";

/** Why nothing can be shown here, or `null`. */
export function whyNot(): string | null {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return "This browser shows nothing that is pushed. Some do so only for pages that were added to the home screen, or that came over https.";
  }
  return Notification.permission === "denied" ? DENIED : null;
}

/**
 * Have this browser subscribe for whoever has this key.
 *
 * @throws NotShown its user said no, or its push service does not answer.
 */
export async function subscribeHere(applicationServerKey: string): Promise<Offer> {
  if ((await Notification.requestPermission()) !== "granted") throw new NotShown(DENIED);
  const registration = await navigator.serviceWorker.register(workerAddress(), { scope: SCOPE });
  await navigator.serviceWorker.ready;
  // One of before may be for another key, which the browser would hold against us.
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }).catch((error: unknown) => {
    throw new NotShown(`The push service of this browser does not answer (${error instanceof Error ? error.message : "no reason given"}).`);
  });
  const { endpoint = "", keys = {} } = made.toJSON();
  return { endpoint, keys: { p256dh: keys.p256dh ?? "", auth: keys.auth ?? "" } };
}

/** Nothing more is shown here, whatever is sent. */
export async function unsubscribeHere(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  await registration?.unregister();
  localStorage.removeItem(KEY);
}

/** Under which id this browser was subscribed last. */
export function idHere(): string | null {
  return localStorage.getItem(KEY);
}

export function rememberId(id: string): void {
  localStorage.setItem(KEY, id);
}

function workerAddress(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy("deedbook-push", { createScriptURL: (url) => url });
  return (policy?.createScriptURL(WORKER) ?? WORKER) as string;
}
