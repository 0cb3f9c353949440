import { useEffect, useState } from "react";

const WIDE = "(min-width: 1100px)";

/** Whether there is room for things side by side. Where there is not, they are not even made. */
export function useWide(query = WIDE): boolean {
  const [wide, setWide] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => setWide(list.matches);
    changed();
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [query]);
  return wide;
}
