import { Facts } from "../../ui/index.ts";

/** What the wallet is going to show, field by field, before it does. */
export function SignedFields({ struct, fields }: { struct: string; fields: Readonly<Record<string, string | number>> }) {
  return (
    <section className="rounded-md border border-line p-3">
      <h3 className="mb-2 text-[13px] font-medium text-muted">Your wallet shows this {struct} (EIP-712)</h3>
      <Facts facts={Object.entries(fields).map(([name, value]) => [name, <code key={name} className="font-mono text-[13px] break-all">{value}</code>])} />
    </section>
  );
}
