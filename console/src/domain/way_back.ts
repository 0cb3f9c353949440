/** Where a sign-in leads back to. What stands in an address may come from anybody: it leads to a page of ours, or to the
 * start. */

const START = "/markets";
const SIGN_IN = "/sign-in";
const INSIDE = "https://console.invalid";
/** One slash and a letter: two slashes, or one and its mirror, name another host. */
const A_PAGE = /^\/[a-z]/;

export function wayBack(asked: unknown): string {
  if (typeof asked !== "string" || !A_PAGE.test(asked)) return START;
  const url = new URL(asked, INSIDE);
  return url.origin === INSIDE && url.pathname !== SIGN_IN && A_PAGE.test(url.pathname) ? url.pathname + url.search : START;
}

/** What a link to the sign-in carries, from the page on which it stands. */
export function backFrom(pathname: string, search: string): string {
  return pathname === SIGN_IN ? wayBack(new URLSearchParams(search).get("back")) : wayBack(pathname + search);
}
