/** What people call the browser they look through. */

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/(?:\b|\bHeadless)(?:Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "a Mac"],
  [/\bCrOS\b/, "a Chromebook"],
  [/\bLinux\b/, "Linux"],
];

/** Such as "Firefox on Linux", from what a browser says of itself. */
export function browserName(userAgent: string): string {
  const named = (all: typeof BROWSERS): string | undefined => all.find(([mark]) => mark.test(userAgent))?.[1];
  return `${named(BROWSERS) ?? "A browser"} on ${named(SYSTEMS) ?? "some device"}`;
}
