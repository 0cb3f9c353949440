import { CopyButton, Notice } from "../../ui/index.ts";

/** A secret that nobody can show again. */
export function ShownOnce({ secret, what, children }: { secret: string | null; what: string; children: string }) {
  if (secret === null) {
    return (
      <Notice tone="warn" title="It was shown already">
        The answer had been given before, and {what} is kept by nobody. Revoke it and make another.
      </Notice>
    );
  }
  return (
    <Notice tone="good" title={`Copy ${what} now: it is shown this once`}>
      <p className="flex flex-wrap items-center gap-1">
        <code className="font-mono text-[13px] break-all" data-testid="secret">
          {secret}
        </code>
        <CopyButton text={secret} label={`Copy ${what}`} />
      </p>
      <p className="mt-1 text-[13px] text-muted">{children}</p>
    </Notice>
  );
}
