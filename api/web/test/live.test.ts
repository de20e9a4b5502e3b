import {beforeEach, describe, expect, test} from 'vitest';

import {listen, type Source, type Wire} from '../src/live.ts';
import type {BusFeature} from '../src/contract.ts';
import {type Listener, Session} from '../src/session.ts';
import {bus, station} from './city.ts';

let told: string[];
let listener: Listener;

beforeEach(() => {
  told = [];
  listener = {
    hello: (hello) => told.push(`hello ×${hello.rate}`),
    bus: (feature) => told.push(`bus ${feature.properties.id}`),
    air: (feature) => told.push(`air ${feature.properties.id}`),
    gone: (gone) => told.push(`gone ${gone.kind} ${gone.id}`),
    complete: (buses, stations) => told.push(`complete ${[...buses, ...stations].join(' ')}`),
    link: (link) => told.push(`link ${link}`),
    tiles: (versions) => told.push(`tiles ${versions.air}`),
    unreadable: (event) => told.push(`unreadable ${event}`),
  };
});

const hello = JSON.stringify({time: '2026-02-16T10:00:00Z', rate: 1});

describe('a session', () => {
  test('is filling from hello to ready, and live afterwards', () => {
    const session = new Session(listener);
    expect(session.link).toBe('connecting');
    session.take('hello', hello);
    session.take('bus', JSON.stringify(bus('1')));
    session.take('air', JSON.stringify(station('a')));
    session.take('ready', '{}');
    session.take('gone', '{"kind":"bus","agency":"hanoi","id":"1"}');
    expect(told).toEqual(['hello ×1', 'link filling', 'bus 1', 'air a', 'complete hanoi/1 a', 'link live', 'gone bus 1']);
  });

  test('after a reconnect lists only what was sent again', () => {
    const session = new Session(listener);
    session.take('hello', hello);
    session.take('bus', JSON.stringify(bus('1')));
    session.take('ready', '{}');
    session.take('bus', JSON.stringify(bus('2')));
    session.lost();
    told = [];
    session.take('hello', hello);
    session.take('bus', JSON.stringify(bus('2')));
    session.take('ready', '{}');
    expect(told).toEqual(['hello ×1', 'link filling', 'bus 2', 'complete hanoi/2', 'link live']);
  });

  test('continues a stream that was resumed', () => {
    const session = new Session(listener);
    session.take('hello', hello);
    session.take('bus', JSON.stringify(bus('1')));
    session.take('ready', '{}');
    session.lost();
    told = [];
    session.take('resumed', hello);
    session.take('bus', JSON.stringify(bus('2')));
    session.take('tiles', '{"air":"b","transit":"1","zones":"1"}');
    session.take('beat', '{}');
    expect(told).toEqual(['hello ×1', 'link live', 'bus 2', 'tiles b']);
  });

  test('moves a bus by its rows, and keeps its description', () => {
    const moves: BusFeature[] = [];
    const session = new Session({...listener, bus: (feature) => moves.push(feature)});
    session.take('hello', JSON.stringify({time: '2026-02-16T10:00:00Z', rate: 1, base: '2026-02-16T10:00:00Z'}));
    session.take('bus', JSON.stringify(bus('1', [105, 21], {n: 7, speed: 3, bearing: 90, delay_s: 60})));
    session.take('ready', '{}');
    session.take('moves', '[[8,1,1,1],[7,105000001,21000002,1500,null,4.5],[7,105000003,21000002,2500]]');
    expect(moves).toEqual([
      bus('1', [105, 21], {n: 7, speed: 3, bearing: 90, delay_s: 60}),
      bus('1', [105.000001, 21.000002], {n: 7, speed: 4.5, age_s: 0, time: '2026-02-16T10:00:01.500Z'}),
      bus('1', [105.000003, 21.000002], {n: 7, age_s: 0, time: '2026-02-16T10:00:02.500Z'}),
    ]);
    expect(told).toContain('unreadable moves'); // of bus 8
  });

  test('skips undecodable messages', () => {
    const session = new Session(listener);
    session.take('hello', hello);
    session.take('bus', '{"type":');
    session.take('bus', '{}');
    session.take('bus', JSON.stringify(bus('1')));
    expect(told).toEqual(['hello ×1', 'link filling', 'unreadable bus', 'unreadable bus', 'bus 1']);
  });

  test('is lost once, however often the connection breaks', () => {
    const session = new Session(listener);
    session.lost();
    session.lost();
    expect(told).toEqual(['link lost']);
  });
});

describe('the connection', () => {
  class FakeSource implements Source {
    readyState = 1;
    closed = false;
    readonly #listeners = new Map<string, (event: {data?: unknown; lastEventId?: string}) => void>();

    addEventListener(type: string, run: (event: {data?: unknown}) => void): void {
      this.#listeners.set(type, run);
    }

    close(): void {
      this.closed = true;
    }

    say(type: string, data?: string, lastEventId = ''): void {
      this.#listeners.get(type)?.({data, lastEventId});
    }
  }

  let sources: FakeSource[];
  let waits: {run: () => void; ms: number}[];
  let wire: Wire;
  let time: number;
  let check: () => void;

  beforeEach(() => {
    sources = [];
    waits = [];
    wire = {
      open: () => sources[sources.push(new FakeSource()) - 1] as FakeSource,
      later: (run, ms) => waits.push({run, ms}),
      every: (run) => void (check = run),
      now: () => time,
    };
    time = 0;
  });

  const refuse = (): void => {
    const source = sources.at(-1);
    if (!source) throw new Error('no line was opened');
    source.readyState = 2;
    source.say('error');
    waits.at(-1)?.run();
  };

  test('is replaced when nothing arrives for 40 s', () => {
    const session = listen('/v1/live', listener, wire);
    const dead = sources[0] as FakeSource;
    dead.say('hello', hello);
    dead.say('ready', '{}');
    for (time = 15_000; time < 300_000; time += 15_000) {
      dead.say('time', '{"time":"2026-02-16T10:00:15Z"}');
      check();
    }
    expect(session.link).toBe('live');
    expect(sources).toHaveLength(1);
    time += 24_000;
    check();
    expect(session.link).toBe('live');
    time += 1000;
    check();
    expect(session.link).toBe('lost');
    expect(dead.closed).toBe(true);
    expect(sources).toHaveLength(2);
    dead.say('bus', JSON.stringify(bus('late')));
    expect(told).not.toContain('bus late');
    sources[1]?.say('hello', hello);
    sources[1]?.say('ready', '{}');
    expect(session.link).toBe('live');
  });

  test('is opened once, also when it is silent while a retry is due', () => {
    listen('/v1/live', listener, wire);
    const source = sources[0] as FakeSource;
    source.readyState = 2;
    source.say('error');
    time = 60_000;
    check();
    expect(sources).toHaveLength(1);
    waits[0]?.run();
    expect(sources).toHaveLength(2);
    check();
    expect(sources).toHaveLength(2);
  });

  test('leaves a broken connection to EventSource', () => {
    listen('/v1/live', listener, wire);
    (sources[0] as FakeSource).readyState = 0;
    sources[0]?.say('error');
    expect(told).toEqual(['link lost']);
    expect(sources).toHaveLength(1);
    expect(waits).toHaveLength(0);
  });

  test('retries a failed connection with growing delays, up to half a minute', () => {
    listen('/v1/live', listener, wire);
    for (let i = 0; i < 7; i++) refuse();
    expect(waits.map(({ms}) => ms)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(sources).toHaveLength(8);
    expect(sources[0]?.closed).toBe(true);
  });

  test('continues after the last event that it had', () => {
    const urls: string[] = [];
    const {open} = wire;
    listen('/v1/live?form=compact', listener, {...wire, open: (url) => (urls.push(url), open(url))});
    sources[0]?.say('hello', hello);
    sources[0]?.say('ready', '{}', 'a-1');
    sources[0]?.say('time', '{}');
    refuse();
    expect(urls).toEqual(['/v1/live?form=compact', '/v1/live?form=compact&last_event_id=a-1']);
  });

  test('retries quickly again after a success', () => {
    listen('/v1/live', listener, wire);
    refuse();
    refuse();
    sources.at(-1)?.say('hello', hello);
    sources.at(-1)?.say('ready', '{}');
    refuse();
    expect(waits.map(({ms}) => ms)).toEqual([1000, 2000, 1000]);
  });
});
