import {expect, test} from 'vitest';

import type {Departure} from '../src/openapi.ts';
import {wishesFor} from '../src/rider/wishes.ts';

const now = Date.parse('2026-12-01T16:12:00Z');
const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();
const bus = (change: Partial<Departure> = {}): Departure => ({route: '24', line: '24', direction: 1, trip: 't', headsign: 'Long Biên', stop: 'HN0505', state: 'live', minutes: 12, early: at(11), expected: at(12), late: at(14), ...change});

test('the time to leave is preset where there is a walk', () => {
  expect(wishesFor(bus(), 360, now)[0]).toEqual({kind: 'leave', stop: 'HN0505', line: '24', direction: 1, trip: 't', walk_s: 360});
});

test('at the stop, five minutes before are preset', () => {
  expect(wishesFor(bus(), undefined, now).map((wish) => wish.kind === 'bus' && wish.minutes)).toEqual([5, 3, 10]);
});

test('it is not preset if it is too late to leave', () => {
  expect(wishesFor(bus(), 660, now).map(({kind}) => kind)).toEqual(['bus', 'bus', 'bus', 'leave']);
});

test('a trip of the timetable is any bus of the line; one that does not run has none', () => {
  expect(wishesFor(bus({state: 'scheduled'}), 360, now)[0]).not.toHaveProperty('trip');
  for (const state of ['canceled', 'skipped', 'not_coming'] as const) expect(wishesFor(bus({state}), 360, now)).toEqual([]);
});
