import {expect, test} from 'vitest';

import {extent, heightRange, hoursOfIndices, hoursOfReadings, seriesOf} from '../src/air/history.ts';
import type {AQI, ReadingRow} from '../src/openapi.ts';

const hour = 3_600_000;
const six = Date.UTC(2026, 11, 1, 6);

test('hours without values are gaps', () => {
  const hours = [1, 2, 5].map((n) => ({time: six + n * hour, value: 10 * n, level: undefined, revised: false}));
  const [times, values] = seriesOf(hours, six, six + 6 * hour);
  expect(values).toEqual([10, 20, null, null, 50, null]);
  expect(times[0]).toBe((six + hour) / 1000);
});

test('what failed a check is no value, and what staff have changed is marked', () => {
  const rows = [
    {time: '2026-12-01T06:00:00Z', mean: 20, flag: 1, level: 'automatic'}, {time: '2026-12-01T07:00:00Z', mean: 900, flag: 4, level: 'automatic'},
    {time: '2026-12-01T08:00:00Z', mean: null, flag: 9, level: 'automatic'}, {time: '2026-12-01T09:00:00Z', mean: 30, flag: 1, level: 'reviewed'},
  ] as ReadingRow[];
  expect(hoursOfReadings(rows).map(({value, revised}) => [value, revised])).toEqual([[20, false], [30, true]]);
});

test('indices keep their class', () => {
  const level = {number: 4, name: {vi: 'Xấu', en: 'Bad'}, color: '#FF0000'};
  expect(hoursOfIndices([{time: '2026-12-01T06:00:00Z', value: 166, level} as AQI])).toEqual([{time: six, value: 166, level: {name: level.name, color: level.color}, revised: false}]);
});

test('the scale of a chart holds its values', () => {
  expect(extent([[1, 2, 3], [4, null, 2]])).toEqual({low: 2, high: 4, last: 2});
  expect(extent([[1], [null]])).toBeUndefined();
  expect(heightRange([[1], [null]])).toEqual([0, 1]);
  const [low, high] = heightRange([[1, 2], [-5, 100]]);
  expect([low, high > 100]).toEqual([-5, true]);
});
