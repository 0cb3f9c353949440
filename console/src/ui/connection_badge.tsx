import { classes } from "./classes.ts";

export type ConnectionState = { readonly kind: "live" } | { readonly kind: "delayed"; readonly seconds: number } | { readonly kind: "offline" };

const DOT = { live: "bg-up", delayed: "bg-warn", offline: "bg-down" } as const;

/** Whether what one sees is now. */
export function ConnectionBadge({ state }: { state: ConnectionState }) {
  const text = { live: "Live", delayed: state.kind === "delayed" ? `Delayed ${state.seconds} s` : "", offline: "Offline" }[state.kind];
  return (
    <span className="figures inline-flex items-center gap-1.5 text-[13px] text-muted" data-connection={state.kind}>
      <span aria-hidden="true" className={classes("size-2 rounded-full", DOT[state.kind])} />
      {text}
    </span>
  );
}
