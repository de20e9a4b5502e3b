import {expect, test} from 'vitest';

import {readPlace, writePlace} from '../src/core/place.ts';
import {isSaved, moveSaved, readHomes, readSaved, type Saved, saved, toggleSaved} from '../src/core/saved.ts';
import {fold} from '../src/rider/fold.ts';
import {upcoming} from '../src/rider/service-day.ts';

test.each([
  ['21.03,105.85', [105.85, 21.03]],
  [' 21.03 , 105.85', [105.85, 21.03]],
  ['21.03', undefined],
  ['21.03,', undefined],
  ['91,105', undefined],
  ['21,105,3', undefined],
  ['a,b', undefined],
  [null, undefined],
])('the place %j is %j', (text, place) => expect(readPlace(text)).toEqual(place));

test('a place is written with 11 m', () => expect(writePlace([105.85234567, 21.0287])).toBe('21.0287,105.8523'));

const stop = (id: string, route?: string): Saved => ({stop: id, name: id, at: [105.85, 21.03], ...(route === undefined ? {} : {line: {route, number: route, headsign: 'x'}})});

test('what a device remembers is taken as far as it is whole', () => {
  expect(readSaved([stop('a'), stop('b', '32'), null, 7, {stop: 'c'}, {...stop('d'), at: ['1', 2]}, {...stop('e'), line: {}}])).toEqual([stop('a'), stop('b', '32')]);
  expect(readSaved('x')).toEqual([]);
  expect(readSaved(Array.from({length: 90}, (_, i) => stop(String(i))))).toHaveLength(50);
  expect(readHomes({home: [105, 21], work: 'there', other: [1, 2]})).toEqual({home: [105, 21]});
  expect(readHomes(null)).toEqual({});
});

test('a stop and a line at it are saved apart, moved and removed', () => {
  for (const item of [stop('a'), stop('a', '32'), stop('b')]) toggleSaved(item);
  moveSaved(stop('b'), -1);
  moveSaved(stop('a'), -1); // it is first already
  expect(saved.get().map((item) => item.stop + (item.line?.route ?? ''))).toEqual(['a', 'b', 'a32']);
  toggleSaved(stop('a'));
  expect(isSaved(saved.get(), stop('a'))).toBe(false);
  expect(isSaved(saved.get(), stop('a', '32'))).toBe(true);
});

test.each([['Giáp Bát', 'giap bat'], ['ĐẠI HỌC', 'dai hoc'], [' 32 ', '32']])('%s is found as %s', (text, folded) => expect(fold(text)).toBe(folded));

test('the rest of a service day goes on after midnight', () => {
  const now = Date.parse('2026-12-01T23:40:00+07:00');
  expect(upcoming(['05:00', '24:10', '23:50', '23:39'], now, '2026-12-01')).toEqual(['23:50', '00:10']);
});
