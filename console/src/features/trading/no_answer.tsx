import { Notice } from "../../ui/index.ts";

/** Stands below what went wrong as long as nobody knows whether an order or a swap was taken. */
export function NoAnswer({ what = "order" }: { what?: "order" | "swap" }) {
  return (
    <Notice tone="warn" title="It may have been placed">
      No answer came. Press again to find out: the very same {what} is sent, which counts once, and nothing new is signed.
    </Notice>
  );
}
