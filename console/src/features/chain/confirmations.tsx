import { counted, type Depth } from "../../domain/passage.ts";

/** How deep a transaction lies in the chain, while that counts. */
export function Confirmations({ of }: { of: Depth | null | undefined }) {
  return of ? <span className="text-[13px] whitespace-nowrap text-muted">{counted(of)}</span> : null;
}
