import {beforeEach, describe, expect, test} from 'vitest';

import {CityClock} from '../src/core/city-clock.ts';
import type {LonLat} from '../src/core/contract.ts';
import {certainty, Fleet, lineOf} from '../src/map/fleet.ts';
import {bus, fix} from './city.ts';

let page = 0; // ms of the page's clock
let clock: CityClock;
let fleet: Fleet;

beforeEach(() => {
  page = 0;
  clock = new CityClock(() => page);
  clock.set(Date.parse('2026-02-16T10:00:01Z'), 1);
  fleet = new Fleet(clock);
});

describe('a fleet', () => {
  test('shows a new bus at its position', () => {
    fleet.put(bus('1'), 1, fix(), 0);
    expect(fleet.shown('hanoi/1', 0)).toEqual([105.85, 21.03]);
    expect(fleet.moving(0)).toBe(false);
  });

  /** Ten seconds of the platform later the bus is 200 m east. */
  const drive = (to: LonLat = [105.852, 21.03]): void => {
    fleet.put(bus('1'), 7, fix(), page);
    page += 10_000 / clock.rate;
    fleet.move(7, fix(to), page);
  };

  test('glides for the time between two positions', () => {
    drive();
    expect(fleet.shown('hanoi/1', 15_000)?.[0]).toBeCloseTo(105.851, 6);
    expect(fleet.moving(19_999)).toBe(true);
    expect(fleet.moving(20_000)).toBe(false);
  });

  test('glides N times as fast when the clock runs N times as fast', () => {
    clock.set(Date.parse('2026-02-16T10:00:01Z'), 10);
    drive();
    expect(fleet.shown('hanoi/1', 1500)?.[0]).toBeCloseTo(105.851, 6);
    expect(fleet.shown('hanoi/1', 2000)).toEqual([105.852, 21.03]);
  });

  test('glides along the way of the bus', () => {
    fleet.wayOf = () => [[105.849, 21.03], [105.851, 21.03], [105.851, 21.032]];
    drive([105.851, 21.031]);
    const [lon, lat] = fleet.shown('hanoi/1', 14_000) ?? [0, 0];
    expect(lat).toBeCloseTo(21.03, 6); // still before the corner
    expect(lon).toBeGreaterThan(105.8505);
  });

  test('jumps on a hidden page and with reduced motion', () => {
    fleet.put(bus('1'), 7, fix(), 0);
    page = 10_000;
    fleet.move(7, fix([105.852, 21.03]), page, true);
    expect(fleet.shown('hanoi/1', page)).toEqual([105.852, 21.03]);
    fleet.gliding = false;
    page = 20_000;
    fleet.move(7, fix([105.854, 21.03]), page);
    expect(fleet.shown('hanoi/1', page)).toEqual([105.854, 21.03]);
  });

  test('distinguishes buses of two agencies, and numbers them', () => {
    fleet.put(bus('1'), 1, fix(), 0);
    fleet.put(bus('1', {agency: 'other'}), 2, fix([105.9, 21]), 0);
    expect(fleet.size).toBe(2);
    expect(fleet.get('hanoi/1')?.number).not.toBe(fleet.get('other/1')?.number);
  });

  test('becomes stale while nothing arrives, live with the next position, and leaves after ten minutes', () => {
    fleet.put(bus('1'), 1, fix(), 0);
    page = 80_000;
    expect(fleet.age()).toBe(false);
    page = 95_000;
    expect(fleet.age()).toBe(true);
    expect(fleet.get('hanoi/1')?.state).toBe('stale');
    fleet.move(1, fix([105.852, 21.03]), page);
    expect(fleet.get('hanoi/1')?.state).toBe('live');
    page = 700_000;
    expect(fleet.age()).toBe(true);
    expect(fleet.size).toBe(0);
  });

  test('keeps only what the stream introduces again', () => {
    for (const [i, id] of ['1', '2', '3'].entries()) fleet.put(bus(id), i, fix(), 0);
    fleet.begin();
    fleet.put(bus('2'), 0, fix(), 0);
    fleet.complete();
    expect([...fleet.all()].map((b) => b.key)).toEqual(['hanoi/2']);
    fleet.move(9, fix(), 0); // of a bus that was not introduced
    fleet.remove(0);
    expect(fleet.size).toBe(0);
  });
});

test.each([
  [{}, 'sure'],
  [{confidence: 0.8}, 'sure'],
  [{confidence: 0.79}, 'likely'],
  [{confidence: 0.5}, 'likely'],
  [{confidence: 0.49}, 'unknown'],
  [{line: ''}, 'unknown'],
] as const)('the line of %j is %s', (info, certain) => expect(certainty(bus('1', info))).toBe(certain));

describe('the platform’s clock', () => {
  test('shows real time until it is set', () => {
    expect(Math.abs(new CityClock().now() - Date.now())).toBeLessThan(1000);
  });

  test('runs at its rate', () => {
    clock.set(0, 60);
    page += 2000;
    expect(clock.now()).toBe(120_000);
    expect(clock.rate).toBe(60);
  });

  test('gives no negative age', () => {
    expect(clock.age('2026-02-16T10:00:05Z')).toBe(0);
  });
});

test.each([
  [{line: '32', route: 'R-32'}, '32'],
  [{line: '', route: 'R-32'}, 'R-32'],
  [{line: ''}, undefined],
])('%j is of the line %j', (properties, line) => {
  expect(lineOf(bus('1', properties))).toBe(line);
});
