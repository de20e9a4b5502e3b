import {beforeEach, describe, expect, test} from 'vitest';

import {address} from '../src/core/api.ts';
import {addressesOf, datesFrom, mostSaved} from '../src/sw/keep.ts';
import {keptMs, kindOf, mostAnswers, Sizes, storable} from '../src/sw/rules.ts';
import {type Scope, Worker} from '../src/sw/worker.ts';

const origin = 'https://nhip.example';

describe('a request', () => {
  const kind = (path: string, more: object = {}) => kindOf({url: new URL(path, origin).href, method: 'GET', mode: 'cors', authorized: false, ...more}, origin);

  test.each([
    ['/', 'navigate', 'page'], ['/stop/HN0505', 'navigate', 'page'], ['/air/station/x?time=1', 'navigate', 'page'], ['/agency/board', 'navigate', 'pass'], ['/embed/air', 'navigate', 'pass'],
    ['/docs', 'navigate', 'pass'], ['/sign-in/x', 'navigate', 'pass'], ['/assets/a.js', 'cors', 'asset'], ['/tiles/air/1/2/3.png', 'cors', 'tile'], ['/v1/departures?near=1,2', 'cors', 'answer'],
    ['/v1/stops/a%2Fb/timetable?date=2026-12-01', 'cors', 'answer'], ['/v1/routes/32', 'cors', 'answer'], ['/v1/stations/x/aqi', 'cors', 'answer'], ['/v1/map', 'cors', 'answer'],
    // staff, sessions, streams, files to take home, and what changes something
    ['/v1/stations/status', 'cors', 'pass'], ['/v1/session', 'cors', 'pass'], ['/v1/alerts', 'cors', 'pass'], ['/v1/keys', 'cors', 'pass'], ['/v1/audit', 'cors', 'pass'], ['/v1/ledger', 'cors', 'pass'],
    ['/v1/reviews', 'cors', 'pass'], ['/v1/readings', 'cors', 'pass'], ['/v1/live', 'cors', 'pass'], ['/v1/queue', 'cors', 'pass'], ['/v1/reminders', 'cors', 'pass'], ['/open311/v2/requests.json', 'cors', 'pass'],
    ['/v1/stations/x/readings?format=csv', 'cors', 'pass'], ['/v1/stations/x/readings?level=raw', 'cors', 'pass'], ['/basemap.pmtiles', 'cors', 'pass'],
  ])('for %s (%s) is %s', (path, mode, want) => expect(kind(path, {mode})).toBe(want));

  test('of others, with a key, or that changes something, passes', () => {
    expect(kind('/v1/stations', {authorized: true})).toBe('pass');
    expect(kind('/v1/stations', {method: 'POST'})).toBe('pass');
    expect(kind('https://tiles.example/tiles/1/2/3.png')).toBe('pass');
  });
});

test('an answer to somebody who is signed in is kept nowhere', () => {
  const may = (control: string | null, path = '/v1/stations', status = 200) => storable(origin + path, status, {get: () => control});
  expect(may('public, max-age=1')).toBe(true);
  expect(may('private, no-cache')).toBe(false);
  expect(may('private, no-cache', '/v1/map')).toBe(false);
  expect(may('no-store')).toBe(false);
  expect(may('no-store', '/v1/map')).toBe(true);
  expect(may('public, max-age=1', '/v1/stations', 404)).toBe(false);
  expect(may(null)).toBe(true);
});

test('what was used least lately makes room', () => {
  const sizes = new Sizes();
  sizes.put('a', 6);
  sizes.put('b', 3);
  sizes.put('c', 3);
  sizes.touch('a');
  sizes.touch('none');
  expect(sizes.shrink(9)).toEqual(['b']);
  sizes.put('a', 1);
  expect([sizes.sum, sizes.count]).toEqual([4, 2]);
});

test('saved stops are kept for a week, their lines, too', () => {
  const evening = Date.UTC(2026, 11, 1, 18); // already the second in Hanoi
  expect(datesFrom(evening, 2)).toEqual(['2026-12-02', '2026-12-03']);
  const all = addressesOf([{stop: 'a/b', line: {route: '32', direction: 1}}], evening, address);
  expect(all).toContain('/v1/stops/a%2Fb');
  expect(all).toContain('/v1/routes/32');
  expect(all).toContain('/v1/stops/a%2Fb/timetable?date=2026-12-08&routes=32&direction=1');
  expect(addressesOf(Array.from({length: 40}, (_, i) => ({stop: String(i)})), evening, address)).toHaveLength(8 * mostSaved);
});

/** A cache in memory. */
class Memory {
  readonly kept = new Map<string, Response>();
  #key = (request: Request | string): string => new URL(typeof request === 'string' ? request : request.url, origin).href;

  match(request: Request | string): Promise<Response | undefined> {
    return Promise.resolve(this.kept.get(this.#key(request))?.clone());
  }

  put(request: Request | string, response: Response): Promise<void> {
    this.kept.set(this.#key(request), response);
    return Promise.resolve();
  }

  delete(request: Request | string): Promise<boolean> {
    return Promise.resolve(this.kept.delete(this.#key(request)));
  }

  keys(): Promise<Request[]> {
    return Promise.resolve([...this.kept.keys()].map((url) => new Request(url)));
  }
}

describe('the worker', () => {
  const stores = new Map<string, Memory>();
  const asked: string[] = [];
  let network: (path: string) => Response | Promise<Response>;
  let now = 1000;
  const build = {version: '1', assets: ['/assets/app.js', '/assets/maplibre.js'], first: ['/assets/app.js']};

  const open = (name: string): Memory => {
    const store = stores.get(name) ?? new Memory();
    stores.set(name, store);
    return store;
  };

  const scope = {
    origin, now: () => now, wait: () => new Promise<void>((done) => setTimeout(done, 0)),
    caches: {open: (name: string) => Promise.resolve(open(name)), keys: () => Promise.resolve([...stores.keys()]), delete: (name: string) => Promise.resolve(stores.delete(name))},
    fetch: async (input: Request | string) => {
      const url = new URL(typeof input === 'string' ? input : input.url, origin);
      asked.push(url.pathname);
      return network(url.pathname);
    },
  } as unknown as Scope;

  const worker = new Worker(scope, build);
  const down = (): never => {
    throw new TypeError('no network');
  };
  const ask = (path: string, mode?: string) => worker.answer(Object.defineProperty(new Request(origin + path), 'mode', {value: mode ?? 'cors'}) as Request);

  beforeEach(() => {
    stores.clear();
    asked.length = 0;
    now = 1000;
    network = (path) => new Response(`answer of ${path}`, {headers: {'Cache-Control': 'public'}});
  });

  test('opens the app without a network', async () => {
    await worker.install();
    network = down;
    expect(await (await ask('/stop/HN0505', 'navigate'))?.text()).toBe('answer of /shell.html');
    expect(await (await ask('/assets/app.js'))?.text()).toBe('answer of /assets/app.js');
  });

  test('shows the page that the network has, if it has one in time', async () => {
    await worker.install();
    expect(await (await ask('/air', 'navigate'))?.text()).toBe('answer of /air');
    network = () => new Response('a proxy alone', {status: 502});
    expect(await (await ask('/air', 'navigate'))?.text()).toBe('answer of /shell.html');
    network = () => new Promise(() => undefined);
    expect(await (await ask('/air', 'navigate'))?.text()).toBe('answer of /shell.html');
  });

  test('is not installed with half of its files', async () => {
    network = (path) => new Response('', {status: path.includes('assets') ? 503 : 200});
    await expect(worker.install()).rejects.toThrow('/assets/app.js');
  });

  test('has the last answer, and says how old it is', async () => {
    await ask('/v1/departures?near=1,2');
    now = 61_000;
    network = down;
    const answer = await ask('/v1/departures?near=1,2');
    expect([await answer?.text(), answer?.headers.get(keptMs)]).toEqual(['answer of /v1/departures', '60000']);
    await expect(ask('/v1/departures?near=3,4')).rejects.toThrow('no network');
  });

  test('keeps a refusal nowhere, and passes it on', async () => {
    await ask('/v1/stations');
    network = () => new Response('busy', {status: 503});
    expect((await ask('/v1/stations'))?.status).toBe(503);
  });

  test('keeps so many answers', async () => {
    for (let i = 0; i < mostAnswers + 5; i++) await ask(`/v1/stops/${i}`);
    expect(open('nhip-answers').kept.size).toBe(mostAnswers);
    expect(await open('nhip-answers').match('/v1/stops/4')).toBeUndefined();
  });

  test('keeps 20 MB of tiles', async () => {
    network = () => new Response(new Uint8Array(6 << 20));
    for (let i = 0; i < 5; i++) await ask(`/tiles/air/1/1/${i}.png`);
    expect([...open('nhip-tiles').kept.keys()].map((url) => url.slice(-5, -4))).toEqual(['2', '3', '4']);
  });

  test('keeps the answers of saved stops, until they are saved no more', async () => {
    await worker.keep(['/v1/stops/a/timetable?date=2026-12-02']);
    await worker.keep(['/v1/stops/a/timetable?date=2026-12-02']);
    expect(asked).toHaveLength(1); // it is fresh
    network = down;
    expect(await (await ask('/v1/stops/a/timetable?date=2026-12-02'))?.text()).toContain('timetable');
    await worker.keep([]);
    expect(open('nhip-saved').kept.size).toBe(0);
  });

  test('a new version drops the files of the old one, and no answers', async () => {
    await open('nhip-assets').put('/assets/old.js', new Response('old'));
    await open('nhip-assets').put('/assets/maplibre.js', new Response('map'));
    await open('something-else').put('/x', new Response(''));
    await ask('/v1/stations');
    await worker.activate();
    expect([...open('nhip-assets').kept.keys()]).toEqual([`${origin}/assets/maplibre.js`]);
    expect([stores.has('something-else'), open('nhip-answers').kept.size]).toEqual([false, 1]);
  });

  test('leaves everything else to the browser', () => expect(ask('/v1/session')).toBeUndefined());
});
