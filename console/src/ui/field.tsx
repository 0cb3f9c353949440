import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { classes } from "./classes.ts";

interface About {
  readonly label: ReactNode;
  readonly help?: ReactNode;
  readonly error?: string | null | undefined;
  /** Stands at the end of the box, such as the unit. */
  readonly unit?: ReactNode;
  /** Only for the ear, where the label is clear from the place. */
  readonly hideLabel?: boolean;
  readonly className?: string;
}

const BOX =
  "w-full min-w-0 rounded-md border bg-panel px-2.5 py-1.5 text-text placeholder:italic placeholder:text-muted disabled:bg-raised disabled:text-muted";

function Frame({ id, label, help, error, unit, hideLabel, className, children }: About & { id: string; children: ReactNode }) {
  return (
    <div className={classes("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-[13px] font-medium text-muted"}>
        {label}
      </label>
      <div className="relative flex min-w-0 items-center">
        {children}
        {unit ? (
          <span className="pointer-events-none absolute right-2.5 max-w-[40%] truncate text-[13px] text-muted">{unit}</span>
        ) : null}
      </div>
      {error ? (
        <p id={`${id}-error`} className="text-[13px] text-down">
          {error}
        </p>
      ) : null}
      {help ? (
        <p id={`${id}-help`} className="text-[13px] text-muted">
          {help}
        </p>
      ) : null}
    </div>
  );
}

function told(id: string, { error, help }: About) {
  const by = classes(Boolean(error) && `${id}-error`, Boolean(help) && `${id}-help`);
  return { "aria-invalid": error ? true : undefined, "aria-describedby": by || undefined } as const;
}

/** A symbol may be long; what is typed never runs below it. */
function roomFor(unit: ReactNode): string {
  return typeof unit === "string" && unit.length > 5 ? "pr-[42%]" : "pr-16";
}

function border(error: About["error"]): string {
  return error ? "border-down" : "border-edge";
}

export function Field({ label, help, error, unit, hideLabel, className, ...rest }: About & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const about = { label, help, error, unit, ...(hideLabel ? { hideLabel } : {}), ...(className ? { className } : {}) };
  return (
    <Frame id={id} {...about}>
      <input
        autoComplete="off"
        {...rest}
        id={id}
        {...told(id, about)}
        className={classes(BOX, border(error), Boolean(unit) && roomFor(unit), rest.inputMode === "decimal" && "figures text-right")}
      />
    </Frame>
  );
}

export function TextArea({ label, help, error, hideLabel, className, ...rest }: About & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  const about = { label, help, error, ...(hideLabel ? { hideLabel } : {}), ...(className ? { className } : {}) };
  return (
    <Frame id={id} {...about}>
      <textarea rows={3} {...rest} id={id} {...told(id, about)} className={classes(BOX, border(error))} />
    </Frame>
  );
}

export function Select({ label, help, error, hideLabel, className, children, ...rest }: About & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  const about = { label, help, error, ...(hideLabel ? { hideLabel } : {}), ...(className ? { className } : {}) };
  return (
    <Frame id={id} {...about}>
      <select {...rest} id={id} {...told(id, about)} className={classes(BOX, border(error), "pr-7")}>
        {children}
      </select>
    </Frame>
  );
}

export function Check({ label, help, error, className, ...rest }: About & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const about = { label, help, error };
  return (
    <div className={classes("flex flex-col gap-0.5", className)}>
      <div className="flex items-start gap-2">
        <input {...rest} type="checkbox" id={id} {...told(id, about)} className="mt-0.5 size-4 shrink-0 accent-accent" />
        <label htmlFor={id}>{label}</label>
      </div>
      {error ? (
        <p id={`${id}-error`} className="pl-6 text-[13px] text-down">
          {error}
        </p>
      ) : null}
      {help ? (
        <p id={`${id}-help`} className="pl-6 text-[13px] text-muted">
          {help}
        </p>
      ) : null}
    </div>
  );
}
