/** The draft of a registration, kept in this browser for this person until it is sent or thrown away. */

import { useCallback, useState } from "react";
import { EMPTY_DRAFT, type Draft } from "../../domain/registration.ts";

export interface KeptDraft {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly forget: () => void;
  /** Whether something was found or has been written. */
  readonly kept: boolean;
}

function keyOf(userId: string): string {
  return `deedbook.draft.${userId}`;
}

function remembered(userId: string): Draft | null {
  try {
    const told = JSON.parse(localStorage.getItem(keyOf(userId)) ?? "null") as Partial<Draft> | null;
    // What an older version of this page has written may lack a field.
    return told ? { ...EMPTY_DRAFT, ...told } : null;
  } catch {
    return null;
  }
}

export function useDraft(userId: string): KeptDraft {
  const [found, setFound] = useState(() => remembered(userId));
  const change = useCallback(
    (part: Partial<Draft>): void =>
      setFound((before) => {
        const after = { ...(before ?? EMPTY_DRAFT), ...part };
        localStorage.setItem(keyOf(userId), JSON.stringify(after));
        return after;
      }),
    [userId],
  );
  const forget = useCallback((): void => {
    localStorage.removeItem(keyOf(userId));
    setFound(null);
  }, [userId]);
  return { draft: found ?? EMPTY_DRAFT, change, forget, kept: found !== null };
}
