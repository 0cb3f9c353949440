import assert from "node:assert/strict";
import { test } from "node:test";
import encodeQR from "qr";
import decodeQR from "qr/decode.js";
import { accountLink, drawn, FRAME, type Drawing } from "../src/domain/qr_path.ts";

const SCALE = 4;

/** The picture that a camera would see of a drawing. */
function pictured({ size, path }: Drawing): { width: number; height: number; data: Uint8Array } {
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, left = "0", top = "0", length = "0"] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    const [x, y, run] = [left, top, length].map((text) => Number(text)) as [number, number, number];
    for (let row = y * SCALE; row < (y + 1) * SCALE; row++) {
      for (let column = x * SCALE; column < (x + run) * SCALE; column++) data.set([0, 0, 0], (row * width + column) * 4);
    }
  }
  return { width, height: width, data };
}

test("an account is read from its drawing", () => {
  const link = accountLink("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 31337);
  const drawing = drawn(encodeQR(link, "raw", { border: FRAME }));
  assert.equal(decodeQR(pictured(drawing)), link);
});

test("a run of dark modules is one rectangle, and rows end with the edge", () => {
  assert.deepEqual(drawn([[true, true, false], [false, false, true]]), { size: 2, path: "M0 0h2v1h-2zM2 1h1v1h-1z" });
});
