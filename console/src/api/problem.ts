/** What went wrong, as one type: a refusal of the API (RFC 9457), or no answer at all. */

export interface FieldProblem {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** Which face a refusal has on the screen. Each has advice of its own; see `ui/error-state`. */
export type Face =
  | "offline"
  | "unavailable"
  | "rate-limited"
  | "signed-out"
  | "forbidden"
  | "restricted"
  | "verification"
  | "funds"
  | "price"
  | "closed"
  | "stale"
  | "conflict"
  | "absent"
  | "invalid"
  | "bug";

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly retryAt: number | null = null,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title);
  }

  get face(): Face {
    return faceOf(this.status, this.code);
  }

  /** What is wrong with a field of the body that was sent, such as `/assetDetails/valuation`. */
  fieldDetail(pointer: string): string | undefined {
    return this.fields.find((field) => field.pointer === pointer)?.detail;
  }
}

const BY_CODE: Readonly<Record<string, Face>> = {
  restricted_location: "restricted",
  sanctioned: "restricted",
  sender_frozen: "restricted",
  receiver_frozen: "restricted",
  kyc_required: "verification",
  compliance_expired: "verification",
  not_whitelisted: "verification",
  accreditation_required: "verification",
  accreditation_expired: "verification",
  ownership_cap: "verification",
  holder_limit: "verification",
  lock_up: "verification",
  token_paused: "closed",
  insufficient_funds: "funds",
  order_filter: "price",
  no_price_yet: "price",
  four_eyes: "forbidden",
  sign_in_refused: "invalid",
  signature_malformed: "invalid",
  signature_refused: "invalid",
};

const BY_STATUS: Readonly<Record<number, Face>> = {
  0: "offline",
  401: "signed-out",
  403: "forbidden",
  404: "absent",
  409: "conflict",
  412: "stale",
  422: "invalid",
  423: "closed",
  428: "stale",
  429: "rate-limited",
  503: "unavailable",
};

function faceOf(status: number, code: string): Face {
  const known = BY_CODE[code] ?? BY_STATUS[status];
  if (known) return known;
  return status >= 400 && status < 500 ? "invalid" : "bug";
}

/**
 * Whether the platform has decided on what was sent, so that another try is another intention. A lost answer, a session
 * that has run out, a limit, or the same request under way say nothing of an earlier sending, which may have counted.
 */
export function isVerdict(error: unknown): error is ApiProblem {
  if (!(error instanceof ApiProblem) || error.status < 400 || error.status >= 500) return false;
  return error.face !== "signed-out" && error.status !== 429 && error.code !== "idempotency_key_in_flight";
}

/** How long to wait before the same is asked again: the usual time, or until what refused it said. */
export function pauseAfter(error: unknown, usualMs: number): number {
  return error instanceof ApiProblem && error.retryAt !== null ? Math.max(usualMs, error.retryAt - Date.now()) : usualMs;
}

/** No answer: no network, or nothing listens there. */
export function offline(): ApiProblem {
  return new ApiProblem(0, "offline", "The exchange cannot be reached", "Check the connection; we keep trying.", "");
}

interface Told {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly errors?: readonly FieldProblem[] | null;
  readonly retryAfterMs?: number | null;
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const told = await readProblem(response);
  const requestId = told.requestId ?? response.headers.get("X-Request-Id") ?? "";
  return new ApiProblem(
    response.status,
    told.code ?? "unreadable",
    told.title ?? "Unexpected answer",
    told.detail ?? `The server answered ${response.status}.`,
    requestId,
    told.errors ?? [],
    retryAt(told, response),
    told as Readonly<Record<string, unknown>>,
  );
}

async function readProblem(response: Response): Promise<Told> {
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return {};
  try {
    return (await response.json()) as Told;
  } catch {
    return {};
  }
}

function retryAt(told: Told, response: Response): number | null {
  const header = /^[0-9]{1,6}$/.exec(response.headers.get("Retry-After") ?? "")?.[0];
  const wait = told.retryAfterMs ?? (header ? Number(header) * 1000 : null);
  return wait === null ? null : Date.now() + wait;
}
