/** Things that are counted, such as blocks, holders and days: whole numbers that fit exactly. Never an amount. */

const COUNT = /^[0-9]{1,15}$/;

/** `null` for what is no count. */
export function readCount(text: string): number | null {
  return COUNT.test(text) ? Number(text) : null;
}
