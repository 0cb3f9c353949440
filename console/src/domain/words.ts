/** The API's words as people read them. */

/** `real_estate` → `Real estate`, `PENDING_MATCH` → `Pending match`. */
export function sentence(word: string): string {
  const spaced = word.replaceAll("_", " ").replaceAll(".", " ").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** `0x1234…cdef`. Only where the whole address is one step away. */
export function shortHex(text: string): string {
  return text.length > 13 ? `${text.slice(0, 6)}…${text.slice(-4)}` : text;
}
