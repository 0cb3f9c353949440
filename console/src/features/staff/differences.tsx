import type { Difference } from "../../domain/free_form.ts";
import { Nothing } from "../../ui/index.ts";

/** What it was and what it is, one line a name. */
export function Differences({ of }: { of: readonly Difference[] }) {
  if (of.length === 0) return <p className="text-muted">Nothing that is shown differs.</p>;
  return (
    <dl className="flex flex-col gap-1">
      {of.map(({ name, before, after }) => (
        <div key={name} className="grid gap-x-3 sm:grid-cols-[minmax(8rem,14rem)_minmax(0,1fr)]">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0" dir="auto">
            {before === null ? <Nothing said="nothing" /> : <del className="text-down">{before}</del>}
            <span aria-label="became"> → </span>
            {after === null ? <Nothing said="nothing" /> : <ins className="text-up no-underline">{after}</ins>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
