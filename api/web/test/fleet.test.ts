import {beforeEach, describe, expect, test} from 'vitest';

import {CityClock} from '../src/city-clock.ts';
import {Fleet, lineOf} from '../src/fleet.ts';
import {bus} from './city.ts';

let page = 0; // ms of the page's clock
let clock: CityClock;
let fleet: Fleet;

beforeEach(() => {
  page = 0;
  clock = new CityClock(() => page);
  clock.set(Date.parse('2026-02-16T10:00:01Z'), 1);
  fleet = new Fleet(clock);
});

const second = (s: number): {time: string} => ({time: new Date(Date.parse('2026-02-16T10:00:00Z') + s * 1000).toISOString()});

describe('a fleet', () => {
  test('shows a new bus at its position', () => {
    fleet.put(bus('1'), 0);
    expect(fleet.shown('hanoi/1', 0)).toEqual([105.85, 21.03]);
    expect(fleet.moving(0)).toBe(false);
  });

  test('glides for the time between two positions', () => {
    fleet.put(bus('1'), 0);
    fleet.put(bus('1', [105.852, 21.03], second(10)), 10_000);
    expect(fleet.shown('hanoi/1', 15_000)?.[0]).toBeCloseTo(105.851, 9);
    expect(fleet.moving(19_999)).toBe(true);
    expect(fleet.moving(20_000)).toBe(false);
  });

  test('glides N times as fast when the clock runs N times as fast', () => {
    clock.set(Date.parse('2026-02-16T10:00:01Z'), 10);
    fleet.put(bus('1'), 0);
    fleet.put(bus('1', [105.852, 21.03], second(10)), 1000);
    expect(fleet.shown('hanoi/1', 1500)?.[0]).toBeCloseTo(105.851, 9);
    expect(fleet.shown('hanoi/1', 2000)).toEqual([105.852, 21.03]);
  });

  test('does not glide when the same position is repeated', () => {
    fleet.put(bus('1'), 0);
    fleet.put(bus('1', [105.852, 21.03], second(10)), 10_000);
    fleet.put(bus('1', [105.852, 21.03], second(10)), 15_000);
    expect(fleet.moving(20_000)).toBe(false);
  });

  test('jumps on a hidden page and with reduced motion', () => {
    fleet.put(bus('1'), 0);
    fleet.put(bus('1', [105.852, 21.03], second(10)), 10_000, true);
    expect(fleet.shown('hanoi/1', 10_000)).toEqual([105.852, 21.03]);
    fleet.gliding = false;
    fleet.put(bus('1', [105.854, 21.03], second(20)), 20_000);
    expect(fleet.shown('hanoi/1', 20_000)).toEqual([105.854, 21.03]);
  });

  test('distinguishes buses of two agencies, and numbers them', () => {
    fleet.put(bus('1'), 0);
    fleet.put(bus('1', [105.9, 21], {agency: 'other'}), 0);
    expect(fleet.size).toBe(2);
    expect(fleet.get('hanoi/1')?.number).not.toBe(fleet.get('other/1')?.number);
  });

  test('becomes stale while nothing arrives, and live again with the next position', () => {
    fleet.put(bus('1'), 0);
    page = 80_000;
    expect(fleet.age()).toBe(false);
    page = 95_000;
    expect(fleet.age()).toBe(true);
    expect(fleet.get('hanoi/1')?.state).toBe('stale');
    fleet.put(bus('1', [105.852, 21.03], second(95)), 95_000);
    expect(fleet.get('hanoi/1')?.state).toBe('live');
  });

  test('keeps only the listed buses', () => {
    for (const id of ['1', '2', '3']) fleet.put(bus(id), 0);
    fleet.keepOnly(new Set(['hanoi/2']));
    expect([...fleet.all()].map((b) => b.key)).toEqual(['hanoi/2']);
  });
});

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
  expect(lineOf(bus('1', undefined, properties).properties)).toBe(line);
});
