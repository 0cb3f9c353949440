import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useState, type KeyboardEvent } from "react";
import { hasRole, pairs, useMe, type Me, type Pair } from "../api/queries.ts";
import { ALL_PAGES } from "../pages/registry.ts";
import { offered, type Command } from "../state/commands.ts";
import { useStore } from "../state/store.ts";
import { chooseTheme } from "../state/theme.ts";
import { classes, Dialog } from "../ui/index.ts";

/** Opened by Ctrl-K, or ⌘K: every page and every pair, and what the open page can do, found by a few letters. */
export function CommandMenu({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [place, setPlace] = useState(0);
  const list = useId();
  const commands = useCommands().filter(({ name, hint }) => `${name} ${hint}`.toLowerCase().includes(text.toLowerCase()));
  const chosen = Math.min(place, Math.max(0, commands.length - 1));
  const run = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.run();
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") run(commands[chosen]);
    if (step === undefined) return;
    event.preventDefault();
    setPlace((chosen + step + commands.length) % Math.max(1, commands.length));
  };
  return (
    <Dialog open title="Go to" onClose={onClose}>
      <div className="flex flex-col gap-2" onKeyDown={press}>
        <input
          role="combobox"
          aria-label="Page, pair or command"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={commands[chosen] ? `${list}-${chosen}` : undefined}
          data-autofocus
          autoComplete="off"
          placeholder="Page, pair or command"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setPlace(0);
          }}
          className="rounded-md border border-edge bg-panel px-2.5 py-1.5"
        />
        <ul id={list} role="listbox" aria-label="What fits" className="max-h-80 overflow-y-auto">
          {commands.map((command, at) => (
            <li
              key={`${command.hint} ${command.name}`}
              id={`${list}-${at}`}
              role="option"
              aria-selected={at === chosen}
              onClick={() => run(command)}
              className={classes("flex cursor-pointer justify-between gap-3 rounded px-2.5 py-1.5", at === chosen && "bg-accent-soft")}
            >
              <span>{command.name}</span>
              <span className="text-[13px] text-muted">{command.hint}</span>
            </li>
          ))}
        </ul>
        {commands.length === 0 ? <p className="text-muted">Nothing fits.</p> : null}
      </div>
    </Dialog>
  );
}

function useCommands(): readonly Command[] {
  const who = useMe();
  const known = useQuery(pairs);
  const navigate = useNavigate();
  const go = (to: string) => () => void navigate({ to });
  return [...useStore(offered), ...pageCommands(who, go), ...pairCommands(known.data ?? [], go), ...themeCommands()];
}

function pageCommands(who: Me | undefined, go: (to: string) => () => void): Command[] {
  const open = ALL_PAGES.filter(
    ({ path, access }) => !path.includes("$") && (typeof access === "string" || hasRole(who, ...access)),
  );
  return open.map(({ path, title, group }) => ({ name: title, hint: group ?? "Page", run: go(path) }));
}

function pairCommands(known: readonly Pair[], go: (to: string) => () => void): Command[] {
  return known.map(({ symbol }) => ({ name: symbol, hint: "Trade", run: go(`/trade/${symbol}`) }));
}

function themeCommands(): Command[] {
  return (["dark", "light", "system"] as const).map((theme) => ({
    name: theme === "system" ? "Colours of the system" : `${theme === "dark" ? "Dark" : "Light"} colours`,
    hint: "Colours",
    run: () => chooseTheme(theme),
  }));
}

/** Whether the menu is open, by the keys that people know from elsewhere. */
export function useCommandMenu(): readonly [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen(true);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  return [open, setOpen];
}
