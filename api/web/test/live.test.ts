import {beforeEach, describe, expect, test} from 'vitest';

import {Live, silence, type Socket, type Wire} from '../src/core/live.ts';

class FakeSocket implements Socket {
  readyState = 1;
  closed = false;
  sent: Record<string, unknown>[] = [];
  readonly path: string;
  readonly #listeners = new Map<string, (event: {data?: unknown}) => void>();

  constructor(path: string) {
    this.path = path;
  }

  addEventListener(type: string, run: (event: {data?: unknown}) => void): void {
    this.#listeners.set(type, run);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  say(event: string, data: unknown = {}): void {
    this.#listeners.get('message')?.({data: JSON.stringify({event, data})});
  }

  rows(rows: unknown): void {
    this.#listeners.get('message')?.({data: JSON.stringify(rows)});
  }

  text(text: string): void {
    this.#listeners.get('message')?.({data: text});
  }

  break(): void {
    this.readyState = 3;
    this.#listeners.get('close')?.({});
  }
}

let sockets: FakeSocket[];
let waits: {run: () => void; ms: number}[];
let time: number;
let check: () => void;
let live: Live;

const hello = {time: '2026-02-16T10:00:00Z', rate: 1, origin: [105.9, 21]};
const last = (): FakeSocket => sockets.at(-1) as FakeSocket;

/** Runs everything that waits. */
function settle(): void {
  for (const {run} of waits.splice(0)) run();
}

beforeEach(() => {
  [sockets, waits, time] = [[], [], 0];
  const wire: Wire = {
    open: (path) => sockets[sockets.push(new FakeSocket(path)) - 1] as FakeSocket,
    later: (run, ms) => void waits.push({run, ms}),
    every: (run) => void (check = run),
    now: () => time,
  };
  live = new Live(wire);
  live.start();
});

describe('the subscription', () => {
  test('asks for nothing but alerts while no view wants anything', () => {
    expect(last().path).toBe('/v1/live?form=short&alerts=all');
  });

  test('adds up what views want, and the newest box counts', () => {
    const done = live.want({bbox: [1, 2, 3, 4], zoom: 13.6});
    live.want({stops: ['a'], lines: ['32']});
    live.want({stops: ['b', 'a'], bbox: [5, 6, 7, 8]});
    settle();
    expect(last().sent).toEqual([{type: 'subscribe', lines: ['32'], stops: ['a', 'b'], stations: [], zones: [], bbox: [5, 6, 7, 8], alerts: 'all'}]);
    done();
    settle();
    expect(last().sent).toHaveLength(1); // nothing has changed
  });

  test('stays within what the api allows', () => {
    live.want({lines: Array.from({length: 30}, (_, i) => String(i)), stops: Array.from({length: 30}, (_, i) => String(i))});
    settle();
    expect(last().sent[0]?.['lines']).toHaveLength(20);
    expect(last().sent[0]?.['stops']).toHaveLength(10);
  });

  test('is sent once the connection is open, if views want more by then', () => {
    last().readyState = 0;
    live.want({stops: ['a']});
    settle();
    expect(last().sent).toEqual([]);
    last().readyState = 1;
    last().say('hello', hello);
    settle();
    expect(last().sent).toMatchObject([{type: 'subscribe', stops: ['a']}]);
  });

  test('is of the new connection after a break', () => {
    live.want({stations: ['x/1']});
    settle();
    last().break();
    settle();
    expect(sockets).toHaveLength(2);
    expect(last().path).toBe('/v1/live?form=short&stations=x%2F1&alerts=all');
  });
});

describe('events', () => {
  test('buses are introduced, move and go', () => {
    const told: string[] = [];
    live.on('bus', ({bus, n, fix}) => told.push(`${bus.id} ${n} ${fix.lon.toFixed(5)} ${fix.lat.toFixed(5)} ${fix.occupancy} ${fix.stale}`));
    live.on('move', ({n, fix}) => told.push(`${n} ${fix.bearing} ${fix.age} ${fix.stale}`));
    live.on('busGone', ({n}) => told.push(`gone ${n}`));
    last().say('hello', hello);
    last().say('bus', {id: '1', agency: 'hanoi', n: 7, row: [7, -4512, 3343, 2, 155, 2]});
    last().rows([[7, -4510, 3340, 1, null, null, 1]]);
    last().say('gone', {kind: 'bus', n: 7});
    expect(told).toEqual(['1 7 105.85488 21.03343 2 false', '7 null 1 true', 'gone 7']);
  });

  test('what can’t be read is skipped', () => {
    last().say('hello', hello);
    last().text('{"event":');
    last().say('something new', {});
    expect(live.link.get()).toBe('live');
  });

  test('the newest beat is remembered', () => {
    last().say('hello', hello);
    last().say('beat', {time: '2026-02-16T10:00:15Z'});
    expect(live.heardAt()).toBe(Date.parse('2026-02-16T10:00:15Z'));
  });
});

describe('the connection', () => {
  test('is lost within 40 s of silence, and says since when', () => {
    last().say('hello', hello);
    for (time = 15_000; time <= 60_000; time += 15_000) {
      last().say('beat', hello);
      check();
    }
    expect(live.link.get()).toBe('live');
    time = 60_000 + silence;
    check();
    check();
    expect(live.link.get()).toBe('lost');
    expect(Date.now() - (live.lostSince.get() ?? 0)).toBeGreaterThan(silence - 1000);
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.closed).toBe(true);
    expect(silence).toBeLessThan(40_000);
  });

  test('that comes back at once frightens nobody', () => {
    last().say('hello', hello);
    last().break();
    time = 2000;
    check();
    settle();
    last().say('hello', hello);
    time = 10_000;
    check();
    expect(live.link.get()).toBe('live');
    expect(live.lostSince.get()).toBeUndefined();
  });

  test('is opened again with growing delays, up to half a minute, and quickly after a success', () => {
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      last().break();
      delays.push(waits.at(-1)?.ms ?? 0);
      settle();
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    last().say('hello', hello);
    last().break();
    expect(waits.at(-1)?.ms).toBe(1000);
  });

  test('is closed while the page is hidden', () => {
    live.hide(true);
    expect(last().closed).toBe(true);
    time = 600_000;
    check();
    expect(live.link.get()).toBe('off');
    expect(sockets).toHaveLength(1);
    live.hide(false);
    expect(sockets).toHaveLength(2);
    last().say('hello', hello);
    expect(live.link.get()).toBe('live');
  });

  test('events of a connection that was replaced are ignored', () => {
    const old = last();
    live.retry();
    old.say('hello', hello);
    expect(live.link.get()).toBe('connecting');
    old.break();
    settle();
    expect(sockets).toHaveLength(2);
  });
});
