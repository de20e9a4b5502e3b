// What the service worker does with a request, without a browser: functions of addresses and headers.

/** How a request is answered. `pass`: as if there were no worker. */
export type Kind = 'page' | 'asset' | 'answer' | 'tile' | 'pass';

/** The part of a request that decides. */
export interface Asked {
  url: string;
  method: string;
  mode: string;
  /** It carries a key of its own. */
  authorized: boolean;
}

/** The addresses of the app; see views.ts. Staff's pages and everything else of the server pass. */
const pages = /^\/(?:|stop\/.+|line\/.+|bus\/.+|search|saved|reminders|report(?:\/.+)?|more|air(?:\/.+)?)$/;

/** Answers that everybody gets, and that riders want without a network. */
const answers = /^\/v1\/(?:departures|stops(?:\/.+)?|routes(?:\/.+)?|buses\/.+|stations(?:\/(?!status$)[^/]+(?:\/aqi|\/readings)?)?|air(?:\/hours)?|zones(?:\.geojson)?|legend|map|service-alerts|wind)$/;

/** Decides what to do with a request. */
export function kindOf({url, method, mode, authorized}: Asked, origin: string): Kind {
  const at = new URL(url);
  if (at.origin !== origin || method !== 'GET' || authorized) return 'pass';
  if (mode === 'navigate') return pages.test(at.pathname) ? 'page' : 'pass';
  if (at.pathname.startsWith('/assets/')) return 'asset';
  if (at.pathname.startsWith('/tiles/')) return 'tile';
  if (answers.test(at.pathname) && at.searchParams.get('format') === null && at.searchParams.get('level') !== 'raw') return 'answer';
  return at.pathname === '/icon.svg' || at.pathname === '/manifest.json' ? 'asset' : 'pass';
}

/**
 * Reports whether an answer may be kept. Answers to somebody who is signed in are private, and stay nowhere. The settings
 * of the map are not for caches of others, but hold nothing of anybody.
 */
export function storable(url: string, status: number, headers: {get(name: string): string | null}): boolean {
  const control = headers.get('Cache-Control') ?? '';
  if (status !== 200 || /\bprivate\b/.test(control)) return false;
  return !/\bno-store\b/.test(control) || new URL(url).pathname === '/v1/map';
}

/** Reports that a proxy answers, and not the api: the last answer is worth more. */
export function isAway(status: number): boolean {
  return status === 502 || status === 504;
}

/** When an answer was kept: a header of kept ones, ms since 1970. The age of what is sent is in another. */
export const storedAt = 'X-Stored-At';
export const keptMs = 'X-Kept-Ms';

/** Most answers that are kept beside those of saved stops. */
export const mostAnswers = 150;

/** What tiles may take on the device, bytes. */
export const mostTileBytes = 20 << 20;

/** Sizes of what is kept, by address, the least recently used first. */
export class Sizes {
  readonly #sizes = new Map<string, number>();
  #sum = 0;

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#sizes.size;
  }

  put(key: string, size: number): void {
    this.drop(key);
    this.#sizes.set(key, size);
    this.#sum += size;
  }

  /** It was used. */
  touch(key: string): void {
    const size = this.#sizes.get(key);
    if (size !== undefined) this.put(key, size);
  }

  drop(key: string): void {
    this.#sum -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }

  /** Drops the least recently used until the rest is at most so large; returns what is dropped. */
  shrink(most: number): string[] {
    const dropped: string[] = [];
    for (const key of this.#sizes.keys()) {
      if (this.#sum <= most) break;
      dropped.push(key);
      this.drop(key);
    }
    return dropped;
  }
}
