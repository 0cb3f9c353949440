import assert from "node:assert/strict";
import { test } from "node:test";
import { browserName } from "../src/domain/browsers.ts";

const SAID = {
  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0": "Firefox on Linux",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0":
    "Edge on Windows",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36": "Chrome on Android",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1":
    "Safari on iPhone",
  "something else": "A browser on some device",
};

test("a browser is called as its user calls it", () => {
  for (const [userAgent, name] of Object.entries(SAID)) assert.equal(browserName(userAgent), name);
});
