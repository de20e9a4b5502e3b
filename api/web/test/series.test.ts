import {describe, expect, test} from 'vitest';

import type {Reading} from '../src/core/contract.ts';
import {extent, hasScale, ofOnePeriod, seriesOf} from '../src/air/series.ts';

const hour = 3600;
const start = Date.parse('2026-02-16T00:00:00Z') / 1000;

function reading(h: number, value: number, more: Partial<Reading> = {}): Reading {
  return {time: new Date((start + h * hour) * 1000).toISOString(), quantity: 'pm25', value, unit: 'µg/m³', period: '1h', flag: 1, ...more};
}

describe('a series', () => {
  test('is unbroken at the usual interval', () => {
    expect(seriesOf([reading(0, 1), reading(1, 2), reading(2, 3)])).toEqual([[start, start + hour, start + 2 * hour], [1, 2, 3]]);
  });

  test('breaks where readings are missing', () => {
    const [times, values] = seriesOf([0, 1, 2, 8, 9].map((h) => reading(h, h)));
    expect(values).toEqual([0, 1, 2, null, 8, 9]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('breaks where a value failed a check', () => {
    expect(seriesOf([reading(0, 1), reading(1, 999, {flag: 4}), reading(2, 3, {flag: 3})])[1]).toEqual([1, null, 3]);
  });

  test('may be empty or have one reading', () => {
    expect(seriesOf([])).toEqual([[], []]);
    expect(seriesOf([reading(0, 5)])).toEqual([[start], [5]]);
  });
});

test('the extent ignores gaps', () => {
  expect(extent([[1, 2, 3, 4], [7, null, 2, null]])).toEqual({low: 2, high: 7, last: 2});
  expect(extent([[1], [null]])).toBeUndefined();
});

test('a chart shows one averaging period', () => {
  const mixed = [reading(0, 1), reading(0.5, 9, {period: '5m'}), reading(1, 2)];
  expect(ofOnePeriod(mixed, '5m').map((r) => r.value)).toEqual([9]);
  expect(ofOnePeriod(mixed, '24h').map((r) => r.value)).toEqual([1, 2]);
  expect(ofOnePeriod([], '1h')).toEqual([]);
});

test('only concentrations with breakpoints have a scale', () => {
  expect(hasScale('pm25')).toBe(true);
  expect(hasScale('humidity')).toBe(false);
});
