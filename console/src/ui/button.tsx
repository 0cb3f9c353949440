import type { ButtonHTMLAttributes, ReactNode } from "react";
import { classes } from "./classes.ts";

export type ButtonTone = "primary" | "plain" | "quiet" | "danger" | "buy" | "sell";

const TONES: Readonly<Record<ButtonTone, string>> = {
  primary: "bg-accent text-on-accent hover:brightness-110",
  plain: "border border-edge bg-panel text-text hover:bg-raised",
  quiet: "text-muted hover:bg-raised hover:text-text",
  danger: "bg-down text-on-down hover:brightness-110",
  buy: "bg-up text-on-up hover:brightness-110",
  sell: "bg-down text-on-down hover:brightness-110",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly tone?: ButtonTone;
  readonly small?: boolean;
  /** Why it cannot be pressed: shown to the eye and to the ear, unlike a button that is merely grey. */
  readonly reason?: string | null | undefined;
  /** It is being done: it cannot be pressed a second time. */
  readonly busy?: boolean;
  readonly children: ReactNode;
}

export function Button({ tone = "plain", small, reason, busy, className, children, type, ...rest }: Props) {
  const blocked = Boolean(reason) || Boolean(busy) || Boolean(rest.disabled);
  return (
    <button
      {...rest}
      type={type ?? "button"}
      disabled={blocked}
      aria-busy={busy || undefined}
      title={reason ?? rest.title}
      className={classes(
        "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none",
        small ? "min-h-7 px-2 py-0.5 text-[13px]" : "min-h-9 px-3.5 py-1.5",
        blocked && !busy ? "border border-line bg-raised text-muted" : TONES[tone],
        busy && "opacity-70",
        className,
      )}
    >
      {busy ? <Dots /> : null}
      {children}
    </button>
  );
}

function Dots() {
  return (
    <span aria-hidden="true" className="inline-block size-3 animate-spin rounded-full border-2 border-current border-t-transparent" />
  );
}
