import { chooseTheme, useTheme, type Theme } from "../state/theme.ts";
import { Button } from "../ui/index.ts";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };
const SIGN: Readonly<Record<Theme, string>> = { system: "◐", dark: "●", light: "○" };
const SAID: Readonly<Record<Theme, string>> = { system: "as the system has it", dark: "dark", light: "light" };

export function ThemeSwitch() {
  const theme = useTheme();
  return (
    <Button tone="quiet" small aria-label={`Colours: ${SAID[theme]}. Change`} title={`Colours: ${SAID[theme]}`} onClick={() => chooseTheme(NEXT[theme])}>
      <span aria-hidden="true">{SIGN[theme]}</span>
    </Button>
  );
}
