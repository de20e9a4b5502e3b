import {beforeEach, describe, expect, test} from 'vitest';

import {listen, type Source, type Wire} from '../src/live.ts';
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
    unreadable: (event) => told.push(`unreadable ${event}`),
  };
});

const hello = JSON.stringify({time: '2026-02-16T10:00:00Z', rate: 1});

describe('a session', () => {
  test('is filling from hello to ready, and live from there', () => {
    const session = new Session(listener);
    expect(session.link).toBe('connecting');
    session.take('hello', hello);
    session.take('bus', JSON.stringify(bus('1')));
    session.take('air', JSON.stringify(station('a')));
    session.take('ready', '{}');
    session.take('gone', '{"kind":"bus","agency":"hanoi","id":"1"}');
    expect(told).toEqual(['hello ×1', 'link filling', 'bus 1', 'air a', 'complete hanoi/1 a', 'link live', 'gone bus 1']);
  });

  test('after a break names only what was sent again', () => {
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

  test('leaves out what it cannot read and goes on', () => {
    const session = new Session(listener);
    session.take('hello', hello);
    session.take('bus', '{"type":');
    session.take('bus', '{}');
    session.take('bus', JSON.stringify(bus('1')));
    expect(told).toEqual(['hello ×1', 'link filling', 'unreadable bus', 'unreadable bus', 'bus 1']);
  });

  test('is lost once, however often the line breaks', () => {
    const session = new Session(listener);
    session.lost();
    session.lost();
    expect(told).toEqual(['link lost']);
  });
});

describe('the line', () => {
  class FakeSource implements Source {
    readyState = 1;
    closed = false;
    readonly #listeners = new Map<string, (event: {data?: unknown}) => void>();

    addEventListener(type: string, run: (event: {data?: unknown}) => void): void {
      this.#listeners.set(type, run);
    }

    close(): void {
      this.closed = true;
    }

    say(type: string, data?: string): void {
      this.#listeners.get(type)?.({data});
    }
  }

  let sources: FakeSource[];
  let waits: {run: () => void; ms: number}[];
  let wire: Wire;

  beforeEach(() => {
    sources = [];
    waits = [];
    wire = {
      open: () => sources[sources.push(new FakeSource()) - 1] as FakeSource,
      later: (run, ms) => waits.push({run, ms}),
    };
  });

  const refuse = (): void => {
    const source = sources.at(-1);
    if (!source) throw new Error('no line was opened');
    source.readyState = 2;
    source.say('error');
    waits.at(-1)?.run();
  };

  test('leaves a broken line to EventSource', () => {
    listen('/v1/live', listener, wire);
    (sources[0] as FakeSource).readyState = 0;
    sources[0]?.say('error');
    expect(told).toEqual(['link lost']);
    expect(sources).toHaveLength(1);
    expect(waits).toHaveLength(0);
  });

  test('opens a refused line again, ever more slowly, up to half a minute', () => {
    listen('/v1/live', listener, wire);
    for (let i = 0; i < 7; i++) refuse();
    expect(waits.map(({ms}) => ms)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(sources).toHaveLength(8);
    expect(sources[0]?.closed).toBe(true);
  });

  test('is quick again once it was whole', () => {
    listen('/v1/live', listener, wire);
    refuse();
    refuse();
    sources.at(-1)?.say('hello', hello);
    sources.at(-1)?.say('ready', '{}');
    refuse();
    expect(waits.map(({ms}) => ms)).toEqual([1000, 2000, 1000]);
  });
});
