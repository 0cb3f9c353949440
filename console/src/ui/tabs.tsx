import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { classes } from "./classes.ts";

export interface Tab<Name extends string> {
  readonly name: Name;
  readonly label: ReactNode;
  readonly panel: ReactNode;
}

interface Props<Name extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<Name>[];
  readonly active: Name;
  readonly onChange: (name: Name) => void;
  readonly flush?: boolean;
  readonly className?: string;
}

/** Tabs as ARIA has them: one stop for the Tab key, arrows move along. */
export function Tabs<Name extends string>({ label, tabs, active, onChange, flush, className }: Props<Name>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const shown = tabs.find((tab) => tab.name === active) ?? tabs[0];
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (tabs.findIndex((tab) => tab.name === active) + step + tabs.length) % tabs.length;
    const tab = tabs[next];
    if (tab) onChange(tab.name);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div className={className}>
      <div ref={list} role="tablist" aria-label={label} onKeyDown={move} className="flex gap-1 overflow-x-auto border-b border-line px-2">
        {tabs.map((tab) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={tab.name === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab.name === active ? 0 : -1}
            onClick={() => onChange(tab.name)}
            className={classes(
              "-mb-px border-b-2 px-2.5 py-2 font-medium whitespace-nowrap",
              tab.name === active ? "border-accent text-text" : "border-transparent text-muted hover:text-text",
            )}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={shown ? `${id}-${shown.name}` : undefined} tabIndex={0} className={flush ? "" : "p-4"}>
        {shown?.panel}
      </div>
    </div>
  );
}
