/** The API by its own contract: addresses, parameters, bodies and answers are the types of `schema.ts`. */

import type { components, paths } from "./schema.ts";
import { send, type Wire } from "./transport.ts";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "patch" | "delete";

type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, infer O> ? ([O] extends [undefined] ? never : P) : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type Json<T> = T extends { content: { "application/json": infer B } } ? B : never;
type AnswerOf<O> = O extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202)]> : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : O extends { requestBody?: { content: { "application/json": infer B } } }
    ? B | undefined
    : undefined;
type PathOf<O> = O extends { parameters: { path: infer V } } ? V : undefined;
type QueryOf<O> = O extends { parameters: { query?: infer V } } ? V : undefined;

/** Members that may be left out where nothing is asked for. */
type Given<K extends string, V> = [V] extends [undefined]
  ? { readonly [P in K]?: undefined }
  : undefined extends V
    ? { readonly [P in K]?: V }
    : { readonly [P in K]: V };

export type Options<P extends keyof paths, M extends Method> = Given<"path", PathOf<Operation<P, M>>> & {
  readonly query?: QueryOf<Operation<P, M>>;
  /** Sent as `Idempotency-Key`; make it once per intention and keep it for retries (`newKey`). */
  readonly key?: string;
  /** The version that was seen, for `If-Match`. */
  readonly seen?: number;
  readonly signal?: AbortSignal;
} & Given<"body", BodyOf<Operation<P, M>>>;

export type Answer<P extends keyof paths, M extends Method = "get"> = AnswerOf<Operation<P, M>>;

/** Loose inside, since the types above have been checked where it is called. */
interface Loose {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly key?: string;
  readonly seen?: number;
  readonly signal?: AbortSignal;
}

async function call<T>(method: string, template: string, options: Loose): Promise<T> {
  const headers: Record<string, string> = {};
  if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
  if (options.seen !== undefined) headers["If-Match"] = `"${options.seen}"`;
  const wire: Wire = {
    method,
    path: address(template, options),
    headers,
    ...(options.body !== undefined ? { body: options.body } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  return (await (await send(wire)).json()) as T;
}

/** A template's address with its values, each encoded. */
export function address(template: string, { path = {}, query = {} }: Pick<Loose, "path" | "query">): string {
  const filled = template.replace(/\{([A-Za-z]+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") asked.set(name, String(value));
  }
  const text = asked.toString();
  return text ? `${filled}?${text}` : filled;
}

export const api = {
  get: <P extends PathsWith<"get">>(path: P, options: Options<P, "get">): Promise<Answer<P>> =>
    call("GET", path, options as Loose),
  post: <P extends PathsWith<"post">>(path: P, options: Options<P, "post">): Promise<Answer<P, "post">> =>
    call("POST", path, options as Loose),
  put: <P extends PathsWith<"put">>(path: P, options: Options<P, "put">): Promise<Answer<P, "put">> =>
    call("PUT", path, options as Loose),
  patch: <P extends PathsWith<"patch">>(path: P, options: Options<P, "patch">): Promise<Answer<P, "patch">> =>
    call("PATCH", path, options as Loose),
  delete: <P extends PathsWith<"delete">>(path: P, options: Options<P, "delete">): Promise<Answer<P, "delete">> =>
    call("DELETE", path, options as Loose),
  /** An export, as bytes to save. */
  download: async (path: PathsWith<"get">, options: Loose = {}): Promise<Blob> =>
    (await send({ method: "GET", path: address(path, options) })).blob(),
};

/** A fresh Idempotency-Key or nonce: made once per intention, before anything is sent. */
export function newKey(): string {
  return crypto.randomUUID();
}
