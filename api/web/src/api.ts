import type {BusFeature, LonLat, MapInfo, Readings} from './contract.ts';
import type {Quantity, Queries} from './openapi.ts';

/** Why a request failed: the code in the api's problem details, or `offline`. */
export type Trouble = 'invalid' | 'not_found' | 'unavailable' | 'internal' | 'offline';

/** A failed request. `message` is the api's detail, in English. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** Returns the code of anything thrown. What is not an ApiError is a defect of the page. */
export function troubleOf(error: unknown): Trouble {
  return error instanceof ApiError ? error.trouble : 'internal';
}

/** Requests to the api over HTTP. Every method throws ApiError, or the reason with which `signal` was aborted. */
export class Api {
  readonly #fetch: typeof fetch;

  constructor(fetcher: typeof fetch = (input, init) => fetch(input, init)) {
    this.#fetch = fetcher;
  }

  map(signal?: AbortSignal): Promise<MapInfo> {
    return this.#get('/v1/map', signal);
  }

  /** The buses nearest to a place, nearest first. */
  async near([lon, lat]: LonLat, limit: number, signal?: AbortSignal): Promise<BusFeature[]> {
    const query = queryOf({near: `${lat.toFixed(6)},${lon.toFixed(6)}`, limit} satisfies Queries['/v1/buses']);
    return (await this.#get<{features: BusFeature[]}>(`/v1/buses?${query}`, signal)).features;
  }

  /** The day of readings that ends at `to`, oldest first. */
  readings(station: string, quantity: string, to: Date, signal?: AbortSignal): Promise<Readings> {
    const query = queryOf({quantity: quantity as Quantity, to: to.toISOString()} satisfies Queries['/v1/stations/{id}/readings']);
    return this.#get(`/v1/stations/${encodeURIComponent(station)}/readings?${query}`, signal);
  }

  async #get<T>(path: string, signal?: AbortSignal): Promise<T> {
    const response = await this.#ask(path, signal);
    if (!response.ok) throw await problem(response);
    try {
      return (await response.json()) as T;
    } catch {
      signal?.throwIfAborted();
      throw new ApiError('internal', `the answer of ${response.url} is not JSON`);
    }
  }

  async #ask(path: string, signal?: AbortSignal): Promise<Response> {
    try {
      return await this.#fetch(path, {headers: {Accept: 'application/json, application/geo+json'}, signal: signal ?? null});
    } catch {
      signal?.throwIfAborted();
      throw new ApiError('offline', 'the api does not answer');
    }
  }
}

function queryOf(parameters: Record<string, string | number>): URLSearchParams {
  return new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

async function problem(response: Response): Promise<ApiError> {
  let detail = '';
  try {
    detail = String(((await response.json()) as {detail?: unknown}).detail ?? '');
  } catch {
    // A proxy answers without problem details; the status is enough.
  }
  return new ApiError(fromStatus(response.status), detail || `HTTP ${response.status}`);
}

function fromStatus(status: number): Trouble {
  if (status === 404) return 'not_found';
  if (status === 429 || status >= 502) return 'unavailable'; // 502, 504: a proxy without an api behind it
  return status >= 500 ? 'internal' : 'invalid';
}
