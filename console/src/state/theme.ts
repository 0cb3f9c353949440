/** Dark or light: as the system says, unless the reader has said otherwise. */

import { createStore, useStore } from "./store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "deedbook.theme";
const themes = createStore<Theme>(remembered());

function remembered(): Theme {
  const told = localStorage.getItem(KEY);
  return told === "light" || told === "dark" ? told : "system";
}

export function applyTheme(theme: Theme = themes.get()): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  themes.set(theme);
  applyTheme(theme);
}

export function useTheme(): Theme {
  return useStore(themes);
}
