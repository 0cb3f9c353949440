import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { HEADER, readBulk, type BulkLine } from "../../domain/bulk.ts";
import { differences } from "../../domain/free_form.ts";
import { announce } from "../../state/announcements.ts";
import { Badge, Button, ErrorState, Notice, Panel, Table, TextArea, type Column } from "../../ui/index.ts";
import { Differences } from "../staff/differences.tsx";
import { Person } from "../staff/person.tsx";
import { endingSoon, NO_RECORD, regulated, standingOf, type KycRecord } from "./queries.ts";

/** One line as it would be carried out: what stands there now, of which version, or why it cannot be. */
interface Rehearsed {
  readonly line: BulkLine;
  readonly tokenId: string;
  readonly now: KycRecord | null;
  readonly refusal: string | null;
  readonly key: string;
}

type Outcome = "written" | string;

const said = (error: unknown): string => (error instanceof Error ? error.message : "it was refused");

/** Records of many users from a table: first rehearsed, line by line, then written, each of the version that was seen. */
export function BulkImport() {
  const client = useQueryClient();
  const tokens = useQuery(regulated);
  const ids = new Map([...(tokens.data?.values() ?? [])].map(({ symbol, id }) => [symbol, id]));
  const [text, setText] = useState("");
  const [outcomes, setOutcomes] = useState<ReadonlyMap<number, Outcome>>(new Map());
  const { lines, problems } = text.trim() ? readBulk(text, new Set(ids.keys())) : { lines: [], problems: [] };
  const rehearsal = useMutation({
    mutationFn: async () => {
      setOutcomes(new Map());
      const rows: Rehearsed[] = [];
      for (const line of lines) rows.push(await rehearse(line, ids.get(line.symbol) ?? "", (userId) => client.fetchQuery({ ...standingOf(userId), staleTime: 0 })));
      return rows;
    },
    onSuccess: () => announce("Rehearsed; nothing was written"),
  });
  const rows = rehearsal.data ?? [];
  const toWrite = rows.filter((row) => row.refusal === null && changesOf(row).length > 0 && outcomes.get(row.line.number) !== "written");
  const writing = useMutation({
    mutationFn: async () => {
      for (const row of toWrite) {
        const outcome = await write(row).then(() => "written", said);
        setOutcomes((before) => new Map(before).set(row.line.number, outcome));
      }
      void client.invalidateQueries({ queryKey: ["compliance"] });
      void client.invalidateQueries({ queryKey: endingSoon.queryKey });
    },
  });
  return (
    <Panel title="Many at once">
      <div className="flex flex-col gap-4">
        <TextArea
          label="A table of records"
          help={`Separated by commas; the first line is ${HEADER}. The last two may be empty; a last day ends at the end of the day UTC. Nothing is written before you have seen what would change.`}
          rows={4}
          spellCheck={false}
          className="[&_textarea]:font-mono"
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            rehearsal.reset();
          }}
        />
        {problems.length > 0 ? (
          <Notice tone="bad" title="It cannot be read">
            <ul className="list-disc pl-5">
              {problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          </Notice>
        ) : null}
        <div className="flex flex-wrap gap-2">
          <Button busy={rehearsal.isPending} reason={problems.length > 0 ? "Mend the table first" : lines.length === 0 ? "Paste a table first" : null} onClick={() => rehearsal.mutate()}>
            Rehearse
          </Button>
          {rows.length > 0 ? (
            <Button tone="primary" busy={writing.isPending} reason={toWrite.length === 0 ? "Nothing is left to write" : null} onClick={() => writing.mutate()}>
              {`Write ${toWrite.length}`}
            </Button>
          ) : null}
        </div>
        {rehearsal.error ? <ErrorState error={rehearsal.error} /> : null}
      </div>
      {rows.length > 0 ? (
        <div className="mt-4">
          <Table caption="What would change" rows={rows} rowKey={({ line }) => String(line.number)} columns={columns(outcomes)} />
        </div>
      ) : null}
    </Panel>
  );
}

async function rehearse(line: BulkLine, tokenId: string, standing: (userId: string) => Promise<{ readonly records: readonly KycRecord[] }>): Promise<Rehearsed> {
  const row = { line, tokenId, key: newKey() };
  return standing(line.userId).then(
    ({ records }) => ({ ...row, now: records.find((record) => record.tokenId === tokenId) ?? null, refusal: null }),
    (error: unknown) => ({ ...row, now: null, refusal: said(error) }),
  );
}

function changesOf({ line: { wanted }, now }: Rehearsed) {
  if (!now) return differences({}, wanted);
  const { kycStatus, kycLevel, whitelisted, jurisdiction, expiresAt } = now;
  return differences({ kycStatus, kycLevel, whitelisted, jurisdiction, expiresAt }, wanted);
}

function write({ line, tokenId, now, key }: Rehearsed): Promise<unknown> {
  return api.post("/api/v1/tokens/compliance/{userId}", {
    path: { userId: line.userId },
    body: { tokenId, ...line.wanted },
    key,
    seen: now?.version ?? NO_RECORD,
  });
}

function columns(outcomes: ReadonlyMap<number, Outcome>): readonly Column<Rehearsed>[] {
  return [
    { head: "Line", primary: true, cell: ({ line }) => <span className="figures">{line.number}</span> },
    { head: "Account", cell: ({ line }) => <Person userId={line.userId} /> },
    { head: "Token", cell: ({ line }) => line.symbol },
    { head: "What would change", cell: (row) => (row.refusal ? <span className="text-down">{row.refusal}</span> : <Differences of={changesOf(row)} />) },
    { head: "", cell: ({ line }) => <Came outcome={outcomes.get(line.number)} /> },
  ];
}

function Came({ outcome }: { outcome: Outcome | undefined }) {
  if (outcome === undefined) return null;
  return outcome === "written" ? <Badge tone="good">Written</Badge> : <span className="text-down">{outcome}</span>;
}
