/** A square code as a drawing: dark modules in rows, for one path of an SVG. The encoder is loaded when it is needed. */

/** The light frame that a reader needs around it, in modules (ISO/IEC 18004). */
export const FRAME = 4;

export interface Drawing {
  /** Modules from edge to edge. */
  readonly size: number;
  readonly path: string;
}

/** Dark ones row by row. Each run of dark modules is one rectangle. */
export function drawn(dark: readonly (readonly boolean[])[]): Drawing {
  const parts: string[] = [];
  dark.forEach((row, y) => {
    let begun = -1;
    [...row, false].forEach((isDark, x) => {
      if (isDark && begun < 0) begun = x;
      if (!isDark && begun >= 0) {
        parts.push(`M${begun} ${y}h${x - begun}v1h-${x - begun}z`);
        begun = -1;
      }
    });
  });
  return { size: dark.length, path: parts.join("") };
}

/** An account on one chain, as wallets read it (EIP-681). */
export function accountLink(account: string, chainId: number): string {
  return `ethereum:${account}@${chainId}`;
}
