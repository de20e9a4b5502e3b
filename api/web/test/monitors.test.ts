import {beforeEach, expect, test} from 'vitest';

import {CityClock} from '../src/core/city-clock.ts';
import {Monitors} from '../src/air/monitors.ts';
import {station} from './city.ts';

let page = 0;
let monitors: Monitors;

beforeEach(() => {
  page = 0;
  const clock = new CityClock(() => page);
  clock.set(Date.parse('2026-02-16T10:00:01Z'), 1);
  monitors = new Monitors(clock);
});

test('a station keeps its number over its readings', () => {
  monitors.put(station('a'));
  const {number} = monitors.get('a') ?? {};
  monitors.put(station('b'));
  monitors.put(station('a', {pm25: {value: 40}}));
  expect(monitors.get('a')).toMatchObject({number, feature: {properties: {values: {pm25: {value: 40}}}}});
});

test('a station becomes stale after two periods', () => {
  monitors.put(station('a'));
  page = 7_190_000;
  expect(monitors.age()).toBe(false);
  page = 7_210_000;
  expect(monitors.age()).toBe(true);
  expect(monitors.get('a')?.state).toBe('stale');
});

test('only listed stations stay', () => {
  monitors.put(station('a'));
  monitors.put(station('b'));
  monitors.keepOnly(new Set(['b']));
  expect(monitors.get('a')).toBeUndefined();
  expect(monitors.get('b')).toBeDefined();
});
