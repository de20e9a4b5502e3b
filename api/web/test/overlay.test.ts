import {describe, expect, test} from 'vitest';

import {CityClock} from '../src/city-clock.ts';
import type {BusProperties, Value} from '../src/contract.ts';
import {type Bus, Fleet} from '../src/fleet.ts';
import {readPictureId} from '../src/marker.ts';
import {busPoint, stationPoint} from '../src/overlay.ts';
import {bus, station} from './city.ts';

function tracked(properties: Partial<BusProperties>): Bus {
  const fleet = new Fleet(new CityClock());
  fleet.put(bus('1', [105.85, 21.03], properties), 0);
  return fleet.get('hanoi/1') as Bus;
}

const pictureOf = (point: GeoJSON.Feature | undefined): unknown => readPictureId(String(point?.properties?.['picture']));

describe('a bus as a point', () => {
  test('is where the bus is shown, not at its position', () => {
    expect(busPoint(tracked({}), [105.1, 21.1]).geometry.coordinates).toEqual([105.1, 21.1]);
  });

  test('has a small whole number as its id', () => {
    expect(busPoint(tracked({}), [0, 0]).id).toBe(1);
  });

  test('has a bearing only if one is known, north included', () => {
    expect(busPoint(tracked({}), [0, 0]).properties).not.toHaveProperty('bearing');
    expect(busPoint(tracked({bearing: 0}), [0, 0]).properties).toHaveProperty('bearing', 0);
  });

  test('is grey when stale, and lies below live buses', () => {
    const stale = busPoint(tracked({state: 'stale'}), [0, 0]).properties;
    const live = busPoint(tracked({}), [0, 0]).properties;
    expect(pictureOf({properties: stale} as GeoJSON.Feature)).toMatchObject({state: 'stale', line: '32'});
    expect(stale?.['order']).toBeLessThan(live?.['order'] as number);
  });
});

describe('a station as a point', () => {
  const point = (values: Record<string, Partial<Value>>, at?: null): GeoJSON.Feature<GeoJSON.Point> | undefined =>
    stationPoint({number: 1, state: 'live', feature: station('a', values, at)}, 'pm25', (v) => String(Math.round(v)));

  test.each([
    ['its value in its color', {pm25: {value: 96}}, {step: 3, text: '96'}],
    ['a suspect value with a mark', {pm25: {value: 96, flag: 3}}, {step: 3, text: '96?'}],
    ['no value that failed its checks', {pm25: {value: 96, flag: 4}}, {step: undefined, text: '–'}],
    ['a silent instrument as stale, in a station that speaks', {pm25: {value: 96, state: 'stale'}, humidity: {}}, {state: 'stale', text: '96'}],
    ['no value of another quantity', {pm10: {value: 96}}, {step: undefined, text: '–'}],
  ] as const)('shows %s', (_, values, picture) => {
    expect(pictureOf(point(values as Record<string, Partial<Value>>))).toMatchObject(picture);
  });

  test('does not exist without a position', () => {
    expect(point({pm25: {}}, null)).toBeUndefined();
  });
});
