import type { Schemas } from "../../api/client.ts";
import { differences, lines } from "../../domain/free_form.ts";
import { sentence, shortHex } from "../../domain/words.ts";
import { Badge, Button, Facts, Hex, Time } from "../../ui/index.ts";
import { Differences } from "../staff/differences.tsx";
import { Person, PersonName } from "../staff/person.tsx";
import type { Wanted } from "./wanted.ts";

export type Entry = Schemas["AuditAnswer"];

/** One row of the record: who did what to what, and on demand what it was before and after. */
export function OneEntry({ entry, onNarrow }: { entry: Entry; onNarrow: (change: Partial<Wanted>) => void }) {
  const { actorId } = entry;
  return (
    <li className="border-b border-line last:border-0">
      <details className="group">
        <summary className="grid gap-x-4 gap-y-0.5 px-4 py-2 hover:bg-raised sm:grid-cols-[16rem_minmax(0,1fr)_minmax(0,1fr)] sm:items-baseline">
          <Time at={entry.createdAt} />
          <span className="min-w-0 font-medium">{sentence(entry.action)}</span>
          <span className="min-w-0 text-[13px] text-muted">
            {sentence(entry.entityType)} <Thing entry={entry} /> · {actorId ? <PersonName userId={actorId} /> : sentence(entry.actorType)}
          </span>
        </summary>
        <div className="flex flex-col gap-4 border-t border-line bg-bg px-4 py-3">
          <Facts
            facts={[
              [sentence(entry.entityType), isOfPeople(entry) ? <Person userId={entry.entityId} whole /> : <Hex value={entry.entityId} whole />],
              ["By", actorId ? <Person userId={actorId} whole /> : <Badge>{sentence(entry.actorType)}</Badge>],
              ["Request", entry.correlationId ? <Hex value={entry.correlationId} whole /> : null],
              ["Row", <Hex value={entry.eventId} whole />],
            ]}
          />
          <Changes entry={entry} />
          <Told entry={entry} />
          <span className="flex flex-wrap gap-2">
            <Button small onClick={() => onNarrow({ entityId: entry.entityId, entityType: "" })}>
              All about this {sentence(entry.entityType).toLowerCase()}
            </Button>
            {actorId ? (
              <Button small onClick={() => onNarrow({ actorId })}>
                All by this {entry.actorType.toLowerCase()}
              </Button>
            ) : null}
          </span>
        </div>
      </details>
    </li>
  );
}

/** What the record keeps under the id of a user; where it is a token's, it is shown as an id all the same. */
function isOfPeople({ entityType }: Entry): boolean {
  return entityType === "user" || entityType === "compliance";
}

function Thing({ entry }: { entry: Entry }) {
  return isOfPeople(entry) ? <PersonName userId={entry.entityId} /> : <code className="font-mono">{shortHex(entry.entityId)}</code>;
}

function Changes({ entry }: { entry: Entry }) {
  if (entry.before === null && entry.after === null) return null;
  return (
    <section>
      <h3 className="mb-1 text-[13px] font-semibold tracking-wide text-muted">Before and after</h3>
      <Differences of={differences(entry.before, entry.after)} />
    </section>
  );
}

function Told({ entry }: { entry: Entry }) {
  const told = lines(entry.details);
  if (told.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-[13px] font-semibold tracking-wide text-muted">What was told</h3>
      <Facts facts={told} />
    </section>
  );
}
