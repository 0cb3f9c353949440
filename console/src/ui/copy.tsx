import { useEffect, useState } from "react";
import { announce } from "../state/announcements.ts";

const SHOWN_MS = 1_500;

export function CopyButton({ text, label = "Copy", children }: { text: string; label?: string; children?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce("Copied");
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={children ? undefined : label}
      className="no-print inline-flex min-h-6 min-w-6 items-center justify-center gap-1 rounded px-1 text-[13px] text-muted hover:bg-raised hover:text-text"
    >
      {done ? <span aria-hidden="true">✓</span> : <TwoSheets />}
      {children}
    </button>
  );
}

/** Drawn, since few fonts have the sign. */
function TwoSheets() {
  return (
    <svg aria-hidden="true" viewBox="0 0 12 12" className="size-3" fill="none" stroke="currentColor" strokeWidth="1.2">
      <rect x="3.6" y="3.6" width="7.4" height="7.4" rx="1.2" />
      <path d="M8.4 1H2.2A1.2 1.2 0 0 0 1 2.2v6.2" />
    </svg>
  );
}

interface Request {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Needs an Idempotency-Key. */
  readonly keyed?: boolean;
}

/** The same request for a terminal or a program. The token is never part of it: it comes from the environment. */
export function CopyAs({ request }: { request: Request }) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      <CopyButton text={asCurl(request)}>curl</CopyButton>
      <CopyButton text={asPython(request)}>Python</CopyButton>
    </span>
  );
}

export function asCurl({ method, path, body, keyed }: Request): string {
  const lines = [`curl -sS -X ${method} ${quoted(location.origin + path)}`, `-H "Authorization: Bearer $DEEDBOOK_TOKEN"`];
  if (keyed) lines.push(`-H "Idempotency-Key: $(uuidgen)"`);
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

export function asPython({ method, path, body, keyed }: Request): string {
  const headers = [`"Authorization": f"Bearer {os.environ['DEEDBOOK_TOKEN']}"`];
  if (keyed) headers.push(`"Idempotency-Key": str(uuid.uuid4())`);
  const json = body === undefined ? "" : `,\n    json=json.loads(${JSON.stringify(JSON.stringify(body))})`;
  return [
    ["import json", "import os", ...(keyed ? ["import uuid"] : []), "", "import httpx"].join("\n"),
    "",
    `answer = httpx.request(\n    "${method}",\n    ${JSON.stringify(location.origin + path)},\n    headers={${headers.join(", ")}}${json},\n)`,
    "print(answer.status_code, answer.json())",
  ].join("\n");
}
