import {expect, test} from 'vitest';

import type {LonLat} from '../src/core/contract.ts';
import {busesBefore, stepAt, stopsAlong} from '../src/rider/along.ts';
import {byHour, dayOf} from '../src/rider/service-day.ts';

// East for 1,037 m, north for 1,112 m, and back west beside the first part.
const way: LonLat[] = [[105.84, 21.02], [105.85, 21.02], [105.85, 21.03], [105.84, 21.0301]];

test('stops are along their way in order, also where it comes back', () => {
  const along = stopsAlong(way, [[105.84, 21.0201], [105.845, 21.0199], [105.8501, 21.025], [105.845, 21.0302]]);
  expect(along.map((m) => Math.round(m / 50) * 50)).toEqual([0, 500, 1600, 2650]);
});

test('buses are put between the stops', () => {
  const buses = [{along_m: 700}, {along_m: 100, next_stop: 'b'}, {along_m: 650, next_stop: 'zz'}, {along_m: 9999}];
  expect(busesBefore(['a', 'b', 'c', 'd'], [0, 500, 1000, 1500], buses)).toEqual([[], [buses[1]], [buses[2], buses[0]], [buses[3]]]);
});

test('a bus at a stop that the line passes twice is before the call that it has not made', () => {
  expect(busesBefore(['a', 'b', 'a'], [0, 500, 1000], [{along_m: 700, next_stop: 'a'}])[2]).toHaveLength(1);
});

test.each([[0, 0], [248, 0], [250, 250], [9999, 500]])('at %d m the step of %d m holds', (along, step) => {
  expect(stepAt([{along_m: 0}, {along_m: 250}, {along_m: 500}], along)?.along_m).toBe(step);
});

test('departures are listed by hour of the service day', () => {
  expect(byHour(['23:50', '05:10', '05:05', '24:10'])).toEqual([['05', ['05', '10']], ['23', ['50']], ['24', ['10']]]);
});

test('the service day is Hanoi’s', () => {
  expect(dayOf(Date.parse('2026-12-01T18:00:00Z'))).toBe('2026-12-02');
  expect(dayOf(Date.parse('2026-12-01T16:00:00Z'), 1)).toBe('2026-12-02');
});
