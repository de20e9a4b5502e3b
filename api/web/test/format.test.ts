import {describe, expect, test} from 'vitest';

import {Format} from '../src/core/format.ts';

const vi = new Format('vi');
const en = new Format('en');

/** Intl uses no-break spaces in some places. */
const plain = (text: string): string => text.replaceAll(/\s/g, ' ');

test('times are in Hanoi’s zone, wherever the reader is', () => {
  const time = Date.parse('2026-02-16T17:30:05Z');
  expect(en.clock(time)).toBe('00:30:05');
  expect(en.hour(time)).toBe('00:30');
  expect(en.moment(time)).toContain('17/02');
  expect(vi.moment(time)).toContain('00:30');
});

describe.each([
  [5, '5 giây trước', '5 seconds ago'],
  [119, '119 giây trước', '119 seconds ago'],
  [120, '2 phút trước', '2 minutes ago'],
  [7199, '119 phút trước', '119 minutes ago'],
  [7200, '2 giờ trước', '2 hours ago'],
  [200_000, '2 ngày trước', '2 days ago'],
])('%d s', (seconds, inVi, inEn) => {
  test('ago', () => expect([vi.ago(seconds), en.ago(seconds)]).toEqual([inVi, inEn]));
});

test.each([
  [4, '0 m'],
  [744, '740 m'],
  [994, '990 m'],
  [996, '1 km'],
  [1249, '1,2 km'],
  [12_000, '12 km'],
])('%d m is written %s', (metres, text) => expect(plain(vi.distance(metres))).toBe(text));

test.each([
  [7.4, '7'],
  [-0.2, '0'],
  [999.4, '999'],
  [999.5, '1k'],
  [1234, '1,2k'],
  [45_300, '45k'],
])('%d is %s in a circle', (value, text) => expect(vi.short(value)).toBe(text));

test.each([
  [34.26, '34,3'],
  [171.4, '171'],
  [-0.04, '0'],
])('the value %d is written %s', (value, text) => expect(vi.value(value)).toBe(text));

test.each([
  ['1h', '1 hour'],
  ['5m', '5 minutes'],
  ['30s', '30 seconds'],
  ['24h', '24 hours'],
  ['often', 'often'],
])('the period %s is written %s', (period, text) => expect(en.period(period)).toBe(text));

test('speeds are in km/h and delays in minutes', () => {
  expect(plain(en.speed(10))).toBe('36 km/h');
  expect(plain(en.minutes(118))).toBe('2 minutes');
});
