import {isAway, keptMs, kindOf, mostAnswers, mostTileBytes, Sizes, storable, storedAt} from './rules.ts';

// The service worker: the app opens without a network, with the last answers, the timetables of saved stops and the tiles
// that were seen. Nothing of staff is kept: see rules.ts.

/** What the worker needs of its browser; tests replace it. */
export interface Scope {
  origin: string;
  caches: Pick<CacheStorage, 'open' | 'delete' | 'keys'>;
  fetch(input: Request | string, init?: RequestInit): Promise<Response>;
  now(): number;
  wait(ms: number): Promise<void>;
}

/** What the build knows: the version, the files of the app, and which of them are fetched at once. */
export interface Build {
  version: string;
  assets: readonly string[];
  first: readonly string[];
}

/** The caches, by what they hold. */
export const names = {assets: 'nhip-assets', answers: 'nhip-answers', saved: 'nhip-saved', tiles: 'nhip-tiles'} as const;
const shell = '/shell.html';

/** How long the network may take to answer with a page before the kept one is shown, ms. */
const patience = 5000;

/** Answers of saved stops are fetched again after so long, and so far apart, ms. */
const refresh = 12 * 3_600_000;
const apart = 250;

/** Answers vary by headers in which the requests of the app do not differ; those to a person are not kept. */
const anyForm = {ignoreVary: true} as const;

export class Worker {
  readonly #scope: Scope;
  readonly #build: Build;
  #tiles: Promise<Sizes> | undefined;
  #keeping = false;

  constructor(scope: Scope, build: Build) {
    this.#scope = scope;
    this.#build = build;
  }

  /** Fetches the page and the first scripts of a new version. */
  async install(): Promise<void> {
    const cache = await this.#scope.caches.open(names.assets);
    const fresh = await this.#scope.fetch(shell, {cache: 'reload'});
    if (!fresh.ok) throw new Error(`${shell} is answered with ${fresh.status}`);
    await cache.put(shell, fresh);
    await Promise.all(this.#build.first.map(async (path) => {
      if (await cache.match(path)) return;
      const response = await this.#scope.fetch(path);
      if (!response.ok) throw new Error(`${path} is answered with ${response.status}`);
      await cache.put(path, response);
    }));
  }

  /** Drops the files of older versions, and caches that no version uses. */
  async activate(): Promise<void> {
    const [known, current] = [new Set<string>(Object.values(names)), new Set(this.#build.assets)];
    for (const name of await this.#scope.caches.keys()) if (!known.has(name)) await this.#scope.caches.delete(name);
    const cache = await this.#scope.caches.open(names.assets);
    for (const request of await cache.keys()) {
      const {pathname} = new URL(request.url);
      if (pathname.startsWith('/assets/') && !current.has(pathname)) await cache.delete(request);
    }
  }

  /** The answer to a request; undefined: the browser fetches it as if there were no worker. */
  answer(request: Request, preloaded?: Promise<Response | undefined>): Promise<Response> | undefined {
    const kind = kindOf({url: request.url, method: request.method, mode: request.mode, authorized: request.headers.has('Authorization')}, this.#scope.origin);
    switch (kind) {
      case 'page':
        return this.#page(request, preloaded);
      case 'asset':
        return this.#asset(request);
      case 'answer':
        return this.#newest(request, names.answers);
      case 'tile':
        return this.#newest(request, names.tiles);
      case 'pass':
        return undefined;
    }
  }

  async #page(request: Request, preloaded?: Promise<Response | undefined>): Promise<Response> {
    const cache = await this.#scope.caches.open(names.assets);
    const kept = cache.match(shell);
    const fresh = (async () => (await preloaded) ?? (await this.#scope.fetch(request)))();
    const slow = this.#scope.wait(patience).then(() => kept);
    try {
      const first = await Promise.race([fresh, slow]);
      const answer = first ?? (await fresh);
      return isAway(answer.status) ? ((await kept) ?? answer) : answer;
    } catch (error) {
      fresh.catch(() => undefined);
      const page = await kept;
      if (page) return page;
      throw error;
    }
  }

  async #asset(request: Request): Promise<Response> {
    const cache = await this.#scope.caches.open(names.assets);
    const kept = await cache.match(request);
    if (kept) return kept;
    const response = await this.#scope.fetch(request);
    if (response.ok && response.type !== 'opaque') await cache.put(request, response.clone());
    return response;
  }

  /** The network's answer, or without a network the last one, which says how old it is. */
  async #newest(request: Request, name: string): Promise<Response> {
    try {
      const response = await this.#scope.fetch(request);
      if (isAway(response.status)) return (await this.#kept(request, name)) ?? response;
      if (storable(request.url, response.status, response.headers)) await this.#store(request, response.clone(), name);
      return response;
    } catch (error) {
      const kept = await this.#kept(request, name);
      if (kept) return kept;
      throw error;
    }
  }

  async #kept(request: Request, name: string): Promise<Response | undefined> {
    const found = (await (await this.#scope.caches.open(name)).match(request, anyForm)) ?? (await (await this.#scope.caches.open(names.saved)).match(request, anyForm));
    if (!found) return undefined;
    if (name === names.tiles) (await this.#tileSizes()).touch(request.url);
    const headers = new Headers(found.headers);
    headers.set(keptMs, String(Math.max(1, this.#scope.now() - Number(headers.get(storedAt) ?? 0))));
    return new Response(found.body, {status: found.status, headers});
  }

  async #store(request: Request | string, response: Response, name: string): Promise<void> {
    const body = await response.arrayBuffer();
    const headers = new Headers(response.headers);
    headers.set(storedAt, String(this.#scope.now()));
    headers.delete('Content-Encoding');
    const cache = await this.#scope.caches.open(name);
    await cache.delete(request, anyForm); // so that the newest are last
    await cache.put(request, new Response(body, {status: 200, headers}));
    if (name === names.tiles) await this.#shrinkTiles(typeof request === 'string' ? request : request.url, body.byteLength);
    else if (name === names.answers) await this.#shrinkAnswers(cache);
  }

  async #shrinkAnswers(cache: Cache): Promise<void> {
    const all = await cache.keys();
    for (const request of all.slice(0, Math.max(0, all.length - mostAnswers))) await cache.delete(request);
  }

  async #shrinkTiles(url: string, size: number): Promise<void> {
    const sizes = await this.#tileSizes();
    sizes.put(url, size);
    const cache = await this.#scope.caches.open(names.tiles);
    for (const old of sizes.shrink(mostTileBytes)) await cache.delete(old);
  }

  /** The sizes of kept tiles; read once for each start of the worker. */
  #tileSizes(): Promise<Sizes> {
    this.#tiles ??= (async () => {
      const [sizes, cache] = [new Sizes(), await this.#scope.caches.open(names.tiles)];
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        if (response) sizes.put(request.url, (await response.arrayBuffer()).byteLength);
      }
      return sizes;
    })();
    return this.#tiles;
  }

  /** Keeps the answers of addresses, and of no others, for the time without a network. Slowly: it is in no hurry. */
  async keep(addresses: readonly string[]): Promise<void> {
    if (this.#keeping) return;
    this.#keeping = true;
    try {
      const cache = await this.#scope.caches.open(names.saved);
      const wanted = new Set(addresses.map((path) => new URL(path, this.#scope.origin).href));
      for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
      for (const url of wanted) {
        const found = await cache.match(url, anyForm);
        if (found && this.#scope.now() - Number(found.headers.get(storedAt) ?? 0) < refresh) continue;
        const response = await this.#scope.fetch(url, {headers: {Accept: 'application/json, application/geo+json'}});
        if (response.status === 429 || response.status === 503) return;
        if (storable(url, response.status, response.headers)) await this.#store(url, response, names.saved);
        await this.#scope.wait(apart);
      }
    } catch {
      // no network: what is kept stays
    } finally {
      this.#keeping = false;
    }
  }
}
