import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import type { Schemas } from "../../api/client.ts";
import { grouped } from "../../domain/show.ts";
import { sentence } from "../../domain/words.ts";
import { announce } from "../../state/announcements.ts";
import { Badge, EmptyState, ErrorState, Hex, Notice, Time } from "../../ui/index.ts";

type Document = Schemas["DocumentAnswer"];

/**
 * The documents on record. The platform keeps their hashes and not their bytes, so a file that was sent to the officer is
 * compared here, inside the browser: it goes nowhere.
 */
export function Documents({ documents }: { documents: readonly Document[] }) {
  if (documents.length === 0) {
    return (
      <EmptyState title="No document">The issuer has put none on record. Reject it with what you need to see, if it needs any.</EmptyState>
    );
  }
  return (
    <ul className="flex flex-col divide-y divide-line">
      {documents.map((document) => (
        <li key={document.id} className="py-3 first:pt-0 last:pb-0">
          <OneDocument document={document} />
        </li>
      ))}
    </ul>
  );
}

function OneDocument({ document }: { document: Document }) {
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium" dir="auto">
          {document.title}
        </span>
        <Badge>{sentence(document.kind)}</Badge>
        <span className="text-[13px] text-muted">
          version {document.version}
          {document.replaces ? ", replaces an earlier one" : ""}
        </span>
      </div>
      <p className="text-[13px] text-muted">
        {document.mediaType}
        {document.sizeBytes === null ? "" : ` · ${grouped(String(document.sizeBytes))} bytes`} · on record since{" "}
        <Time at={document.createdAt} shape="day" />
      </p>
      <div className="text-[13px]">
        <span className="text-muted">SHA-256 </span>
        <Hex value={document.sha256} whole />
      </div>
      <Comparison document={document} />
    </div>
  );
}

function Comparison({ document }: { document: Document }) {
  const id = useId();
  const comparing = useMutation({
    mutationFn: async (file: File) => ({ name: file.name, isSame: (await sha256(file)) === document.sha256 }),
    onSuccess: ({ isSame }) => announce(isSame ? "The file is the one on record" : "The file is another one"),
  });
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-[13px] text-muted">
        Compare a file that you were given with this hash (it stays in this browser)
      </label>
      <input
        id={id}
        type="file"
        aria-label={`File to compare with ${document.title}`}
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file) comparing.mutate(file);
        }}
        className="max-w-full text-[13px] file:mr-2 file:cursor-pointer file:rounded file:border file:border-edge file:bg-panel file:px-2 file:py-1 file:text-text"
      />
      {comparing.data ? (
        <Notice tone={comparing.data.isSame ? "good" : "bad"}>
          <span dir="auto">{comparing.data.name}</span>{" "}
          {comparing.data.isSame ? "is the document on record, byte for byte." : "is not the document on record."}
        </Notice>
      ) : null}
      {comparing.error ? <ErrorState error={comparing.error} /> : null}
    </div>
  );
}

async function sha256(file: File): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
