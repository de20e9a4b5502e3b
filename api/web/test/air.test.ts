import {describe, expect, test} from 'vitest';

import {airQuery, choiceQuery, endOfHour, readChoice, scaleId} from '../src/air/choice.ts';
import {classOf, digitsOf, inkOn, type Legend} from '../src/air/classes.ts';
import {hourDate, hourDay} from '../src/air/hour-day.ts';
import {emptyRuns, guessSlots, nextPosition, positionOf, slotsOf} from '../src/air/hours.ts';
import {windsOf} from '../src/air/winds.ts';
import {counts, reportedOf, summaryOf, worstFirst} from '../src/air/stations.ts';
import {formatOf} from '../src/core/i18n.ts';
import type {Station} from '../src/openapi.ts';

const read = (query: string) => readChoice(new URLSearchParams(query));

describe('the choice in an address', () => {
  test('is VN_AQI now, with the field and the stations, if nothing is said', () => {
    expect(read('')).toEqual({scale: 'VN_AQI', quantity: undefined, ground: 'field', stations: true, wind: false, time: undefined});
    expect(choiceQuery(read(''))).toEqual({index: undefined, quantity: undefined, layer: undefined, time: undefined});
  });

  test.each(['index=US_EPA', 'index=WHO', 'quantity=pm25', 'layer=zones', 'layer=none', 'layer=zones,nostations,wind', 'time=2026-12-01T06%3A00%3A00Z'])('%s survives reading and writing', (query) => {
    const written = new URLSearchParams(Object.entries(choiceQuery(read(query))).filter((e): e is [string, string] => e[1] !== undefined));
    expect(written.toString().replaceAll('%2C', ',')).toBe(query);
  });

  test.each(['index=x', 'quantity=humidity', 'index=WHO&quantity=pm25', 'time=yesterday', 'layer=x'])('%s counts as missing', (query) => {
    expect(choiceQuery(read(query))).toEqual(choiceQuery(read('')));
  });

  test('is of full hours', () => {
    expect(endOfHour('2026-12-01T06:59:59.9Z')).toBe('2026-12-01T06:00:00Z');
    expect(endOfHour('2026-12-01T06:30:00+07:00')).toBe('2026-11-30T23:00:00Z');
    expect(endOfHour(null)).toBeUndefined();
  });

  test('names its scale, and asks the api for it', () => {
    expect(scaleId(read('quantity=no2'))).toBe('no2');
    expect(airQuery(read('index=WHO'), true)).toEqual({index: 'WHO', quantity: undefined, time: undefined});
    expect(airQuery(read('quantity=pm10'), true).quantity).toBe('pm10');
    expect(airQuery(read('quantity=pm10'), false).quantity).toBeUndefined();
  });
});

const legend = {classes: [
  {number: 1, name: {vi: 'Tốt', en: 'Good'}, color: '#00E400', from: 0, to: 50}, {number: 2, name: {vi: 'Trung bình', en: 'Moderate'}, color: '#FFFF00', from: 51, to: 100},
  {number: 6, name: {vi: 'Nguy hại', en: 'Hazardous'}, color: '#7E0023', from: 301},
]} as unknown as Legend;

describe('classes', () => {
  test.each([[0, 1], [50, 1], [51, 2], [100, 2], [999, 6]])('%d is of class %d', (value, number) => {
    expect(classOf(legend, value)?.number).toBe(number);
  });

  test('have a readable text on their color', () => {
    const contrast = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const light = (color: string): number => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
      const c = Number.parseInt(color.slice(1 + 2 * i, 3 + 2 * i), 16) / 255;
      return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    }, 0);
    for (const color of ['#00E400', '#FFFF00', '#FF7E00', '#FF0000', '#8F3F97', '#7E0023']) expect(contrast(light(color), light(inkOn(color)))).toBeGreaterThan(4.5);
    expect(inkOn('red')).toBe('#111111');
  });

  test('have decimals where the scale has', () => {
    expect([digitsOf('VN_AQI', false), digitsOf('WHO', false), digitsOf('VN_AQI', true)]).toEqual([0, 1, 1]);
  });
});

function station(id: string, change: Partial<Station['properties']> = {}, at: [number, number] | null = [105.8, 21]): Station {
  return {type: 'Feature', geometry: at && {type: 'Point', coordinates: at}, properties: {id, state: 'live', time: '2026-12-01T06:50:00Z', age_s: 10, values: {}, ...change}} as Station;
}

function index(value: number, more: object = {}): NonNullable<Station['properties']['aqi']> {
  return {value, level: {number: 4, name: {vi: 'Xấu', en: 'Bad'}, color: '#FF0000'}, dominant: 'pm25', time: '2026-12-01T06:00:00Z', sub_indices: [{quantity: 'pm25', value: 40, concentration: 19.5}], ...more} as unknown as NonNullable<Station['properties']['aqi']>;
}

describe('a station', () => {
  const all = read('');

  test('has its index, its class and its hour', () => {
    expect(reportedOf(station('a', {aqi: index(166), kind: 'low-cost'}), all, legend)).toMatchObject({value: 166, level: {color: '#FF0000'}, dominant: 'pm25', sensor: true, doubt: undefined, hour: '2026-12-01T06:00:00Z'});
  });

  test('has a concentration in the class of its sub-index if a quantity is chosen', () => {
    expect(reportedOf(station('a', {aqi: index(166)}), read('quantity=pm25'), legend)).toMatchObject({value: 19.5, level: {number: 1}});
    expect(reportedOf(station('a', {aqi: index(166)}), read('quantity=no2'), legend)).toMatchObject({value: undefined, doubt: 'none'});
  });

  test.each([
    ['suspect', {aqi: index(400, {suspect: true})}], ['stale', {aqi: index(166), state: 'stale' as const}], ['stale', {aqi: index(166, {state: 'stale'})}],
    ['silent', {state: 'silent' as const, time: null}], ['none', {}], ['suspect', {values: {pm25: {flag: 4}}} as object],
  ])('in doubt is %s', (doubt, change) => {
    expect(reportedOf(station('a', change), all, legend).doubt).toBe(doubt);
  });

  test('without a place has none', () => expect(reportedOf(station('a', {}, null), all, legend).at).toBeUndefined());

  test('under review counts nowhere, and the worst is first', () => {
    const list = [station('clean', {aqi: index(40)}), station('b'), station('doubt', {aqi: index(400, {suspect: true})}), station('worst', {aqi: index(200)}), station('a')].map((s) => reportedOf(s, all, legend));
    expect(worstFirst(list, ({id}) => id).map(({id}) => id)).toEqual(['worst', 'clean', 'doubt', 'a', 'b']);
    expect(summaryOf(list)).toMatchObject({known: 2, all: 5, worst: {id: 'worst'}});
    expect(list.filter(counts)).toHaveLength(2);
    expect(summaryOf([])).toEqual({known: 0, all: 0, worst: undefined});
  });
});

describe('the slider of hours', () => {
  const hours = Array.from({length: 24}, (_, back) => ({time: new Date(Date.UTC(2026, 11, 1, 6) - back * 3_600_000).toISOString(), stations: back > 20 || back === 3 ? 0 : 40}));
  const slots = slotsOf(hours);

  test('begins with the oldest hour and ends now', () => {
    expect(slots).toHaveLength(24);
    expect(slots.at(-1)).toEqual({back: 0, time: '2026-12-01T06:00:00Z', empty: false});
    expect(positionOf(slots, undefined)).toBe(23);
    expect(positionOf(slots, '2026-12-01T05:00:00Z')).toBe(22);
    expect(positionOf(slots, '2026-01-01T05:00:00Z')).toBe(-1);
  });

  test('hatches empty hours, those side by side as one', () => {
    const runs = emptyRuns(slots);
    expect(runs).toHaveLength(2);
    expect(runs[0]).toEqual({from: 0, to: 2.5 / 23});
    expect(runs[1]?.from).toBeCloseTo(19.5 / 23);
    expect(emptyRuns([])).toEqual([]);
  });

  test('plays to the end, through empty hours', () => {
    let position: number | undefined = 0;
    let steps = 0;
    while ((position = nextPosition(slots, position)) !== undefined) steps++;
    expect(steps).toBe(23);
  });

  test('knows the hours of the clock without an answer', () => {
    const guessed = guessSlots(Date.UTC(2026, 11, 1, 6, 40));
    expect([guessed.length, guessed[0]?.time, guessed.at(-1)?.time]).toEqual([24, '2026-11-30T07:00:00Z', '2026-12-01T06:00:00Z']);
  });
});

test('hours are told in Hanoi’s time, the hour first', () => {
  const time = Date.UTC(2026, 10, 29, 23);
  expect(hourDay(formatOf('vi'), time)).toBe('06:00, 30/11');
  expect(hourDay(formatOf('en'), time)).toBe('06:00, 30/11');
  expect(hourDate(formatOf('vi'), time)).toBe('06:00, 30/11/2026');
});

test('winds are drawn that have a place, a speed and a direction, and are not in doubt', () => {
  const one = {station: 'a', lat: 21, lon: 105.8, speed: 2.5, direction: 45, state: 'live' as const, flag: 1, time: '', age_s: 1};
  const answer = {time: '', stations: [one, {...one, lat: null}, {...one, speed: null}, {...one, direction: null}, {...one, state: 'stale' as const}, {...one, flag: 3}]};
  expect(windsOf(answer)).toEqual([{at: [105.8, 21], speed: 2.5, from: 45}]);
  expect(windsOf(undefined)).toEqual([]);
});
