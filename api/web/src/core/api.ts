import type {Answers, Queries} from '../openapi.ts';

/** Why a request failed: the code in the api's problem details, or `offline`. */
export type Trouble = 'invalid' | 'not_found' | 'unavailable' | 'limited' | 'internal' | 'offline';

/** A failed request. `message` is the api's detail, in English. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly trouble: Trouble;
  /** Seconds to wait, of 429 and 503. */
  readonly retryAfter: number | undefined;
  /** The field that the api refused. */
  readonly field: string | undefined;

  constructor(trouble: Trouble, message: string, retryAfter?: number, field?: string) {
    super(message);
    this.trouble = trouble;
    this.retryAfter = retryAfter;
    this.field = field;
  }
}

/** Returns the code of anything thrown. What is not an ApiError is a defect of the page. */
export function troubleOf(error: unknown): Trouble {
  return error instanceof ApiError ? error.trouble : 'internal';
}

/** An answer and when it was received, in ms of the device's clock; an old one comes from the service worker. */
export interface Fetched<T> {
  data: T;
  /** Milliseconds since the answer was made by the api: 0 for a fresh one. */
  staleMs: number;
}

type Parameters = Record<string, string | number | boolean | undefined>;

/** Returns a path with a query; what is undefined is left out. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%2F', '/');
  return text ? `${path}?${text}` : path;
}

/** The answers that the server wrote into the page, by address; each is used once. */
export function readSeeds(from: Document): Map<string, unknown> {
  const seeds = new Map<string, unknown>();
  for (const element of from.querySelectorAll<HTMLScriptElement>('script[type="application/json"][data-url]')) {
    try {
      seeds.set(element.dataset['url'] ?? '', JSON.parse(element.textContent ?? ''));
    } catch {
      // an unreadable seed is fetched
    }
  }
  return seeds;
}

/** Requests to the api over HTTP. Every method throws ApiError, or the reason with which `signal` was aborted. */
export class Api {
  readonly #fetch: typeof fetch;
  readonly #seeds: Map<string, unknown>;

  constructor(fetcher: typeof fetch = (input, init) => fetch(input, init), seeds = new Map<string, unknown>()) {
    this.#fetch = fetcher;
    this.#seeds = seeds;
  }

  /** The answer that the server wrote into the page for an address, if it did and it was not used yet. */
  seed<T>(path: string): T | undefined {
    const seed = this.#seeds.get(path) as T | undefined;
    this.#seeds.delete(path);
    return seed;
  }

  /** Answers of an address without parameters in its path, typed by the contract. */
  at<P extends keyof Answers & keyof Queries>(path: P, query: Queries[P], signal?: AbortSignal): Promise<Answers[P]> {
    return this.get(address(path, query as Parameters), signal);
  }

  /** The JSON of an address. */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.fetched<T>(path, signal)).data;
  }

  /** The JSON of an address, and how old it is, if the service worker had kept it. */
  async fetched<T>(path: string, signal?: AbortSignal): Promise<Fetched<T>> {
    const response = await this.#ask(path, {headers: {Accept: 'application/json, application/geo+json'}}, signal);
    return {data: await decode<T>(response, signal), staleMs: Number(response.headers.get('X-Kept-Ms') ?? 0) || 0};
  }

  /** Sends JSON; returns the JSON of the answer. */
  async send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = {Accept: 'application/json'};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.#ask(path, {method, headers, body: body === undefined ? null : JSON.stringify(body)}, signal);
    return decode<T>(response, signal);
  }

  async #ask(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(path, {...init, signal: signal ?? null});
    } catch {
      signal?.throwIfAborted();
      throw new ApiError('offline', 'the api does not answer');
    }
    if (!response.ok) throw await problem(response);
    return response;
  }
}

async function decode<T>(response: Response, signal?: AbortSignal): Promise<T> {
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    signal?.throwIfAborted();
    throw new ApiError('internal', `the answer of ${response.url} is not JSON`);
  }
}

async function problem(response: Response): Promise<ApiError> {
  let detail = '';
  let field: string | undefined;
  try {
    // RFC 9457, or the errors of Open311
    const said = (await response.json()) as {detail?: unknown; field?: unknown} | {description?: unknown}[];
    detail = String(Array.isArray(said) ? (said[0]?.description ?? '') : (said.detail ?? ''));
    if (!Array.isArray(said) && typeof said.field === 'string') field = said.field;
  } catch {
    // A proxy answers without problem details; the status is enough.
  }
  const wait = Number(response.headers.get('Retry-After'));
  return new ApiError(troubleFrom(response.status), detail || `the api answered ${response.status}`, wait > 0 ? wait : undefined, field);
}

function troubleFrom(status: number): Trouble {
  if (status === 404) return 'not_found';
  if (status === 429) return 'limited';
  if (status === 502 || status === 503 || status === 504) return 'unavailable';
  return status >= 400 && status < 500 ? 'invalid' : 'internal';
}
