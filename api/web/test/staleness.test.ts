import {describe, expect, test} from 'vitest';

import type {StationProperties, Value} from '../src/core/contract.ts';
import {FixInterval, periodSeconds, stationState} from '../src/core/staleness.ts';

describe('the position interval', () => {
  const seen = (...gaps: number[]): number => {
    const interval = new FixInterval();
    for (const gap of gaps) interval.observe(gap);
    return interval.seconds;
  };

  test('is unknown at first', () => expect(seen()).toBe(0));
  test('is the first gap', () => expect(seen(12)).toBe(12));
  test('is the median of the last five', () => expect(seen(500, 10, 11, 9, 10, 12)).toBe(10));
  test('is not moved by one outage', () => expect(seen(10, 10, 10, 3600)).toBe(10));
  test('ignores positions out of order', () => expect(seen(10, -5, 0, Number.NaN)).toBe(10));
});

describe('a station', () => {
  const newest = '2026-02-16T10:00:00Z';
  const value = (period: string, time = newest): Value => ({value: 1, unit: 'µg/m³', time, period, state: 'live', flag: 1});
  const said = (values: Record<string, Value>, state: 'live' | 'stale' = 'live'): StationProperties => ({id: 's', time: newest, age_s: 0, state, values});
  const after = (minutes: number): number => Date.parse(newest) + minutes * 60_000;

  test.each([
    ['live within two periods', said({pm25: value('1h')}), 120, 'live'],
    ['stale after two periods', said({pm25: value('1h')}), 121, 'stale'],
    ['stale by the period of its newest value', said({pm25: value('1m'), pm10: value('1h', '2026-02-16T09:00:00Z')}), 3, 'stale'],
    ['stale when the api says so', said({pm25: value('1h')}, 'stale'), 0, 'stale'],
    ['left as it was said when a period cannot be read', said({pm25: value('soon')}), 500, 'live'],
  ] as const)('is %s', (_, properties, minutes, state) => {
    expect(stationState(properties, after(minutes))).toBe(state);
  });
});

test.each([
  ['1h', 3600],
  ['5m', 300],
  ['30s', 30],
  ['1h30m', 5400],
  ['24h0m0s', 86_400],
  ['500ms', 0.5],
  ['', undefined],
  ['an hour', undefined],
  ['5', undefined],
])('the period %j lasts %s s', (period, seconds) => {
  expect(periodSeconds(period)).toBe(seconds);
});
