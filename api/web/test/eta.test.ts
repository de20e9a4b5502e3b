import {describe, expect, test} from 'vitest';

import type {Departure} from '../src/openapi.ts';
import {catchable, choose, classOf, crowding, delayOf, type Eta, etaOf, freshness, gone, leaveFor, rank} from '../src/rider/eta.ts';

const now = Date.parse('2026-12-01T16:12:00Z');

/** A time so many minutes from now. */
const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();

function bus(change: Partial<Departure> = {}): Departure {
  return {route: '24', line: '24', headsign: 'Long Biên', stop: 'HN0505', state: 'live', minutes: 5, early: at(4.2), expected: at(5), late: at(5.9), ...change};
}

const span = (early: number, expected: number, late: number): Partial<Departure> => ({early: at(early), expected: at(expected), late: at(late)});

describe('what is said of a bus', () => {
  test.each<[string, Partial<Departure>, Eta]>([
    ['arriving', span(-1, 0.2, 0.9), {kind: 'arriving'}],
    ['within two minutes', span(0.5, 1, 1.8), {kind: 'soon'}],
    ['a range, rounded outwards', span(4.9, 5, 5.1), {kind: 'range', from: 4, to: 6}],
    ['a range of eight minutes', span(12, 15, 20), {kind: 'range', from: 12, to: 20}],
    ['about, if it is wider', span(12, 16.4, 20.5), {kind: 'about', minutes: 16, from: 12, to: 21}],
    ['a time of day beyond half an hour', span(29, 31, 33), {kind: 'aboutTime', time: now + 31 * 60_000}],
    ['about, if the line is only likely', {...span(10, 12, 15.5), confidence: 0.6}, {kind: 'about', minutes: 12, from: 10, to: 16}],
    ['about, never arriving, if the line is only likely', {...span(0, 0.3, 0.8), confidence: 0.6}, {kind: 'about', minutes: 1, from: 0, to: 1}],
    ['about, without the span of the operator', {state: 'forecast', ...span(7, 7, 7), early: undefined, late: undefined} as unknown as Departure, {kind: 'about', minutes: 7}],
    ['lost, without minutes', {state: 'stale', time: at(-3.4), stops_away: 4}, {kind: 'lost', minutes: 3, away: 4}],
    ['by the timetable', {state: 'scheduled', scheduled: at(13)}, {kind: 'timetable', time: now + 13 * 60_000}],
    ['every ten minutes', {state: 'scheduled', headway_s: 600}, {kind: 'headway', minutes: 10}],
    ['nobody reports', {state: 'no_report', scheduled: at(-2), expected: at(3)}, {kind: 'noReport', time: now - 2 * 60_000}],
    ['may not run', {state: 'not_coming', scheduled: at(-32)}, {kind: 'notComing', time: now - 32 * 60_000}],
    ['canceled', {state: 'canceled', scheduled: at(4)}, {kind: 'canceled', time: now + 4 * 60_000}],
  ])('%s', (_, change, eta) => expect(etaOf(bus(change), now)).toEqual(eta));

  test('gets poorer as the answer gets older', () => {
    expect([0, 41, 181, 601].map((age) => freshness(now - age * 1000, now))).toEqual(['fresh', 'pale', 'clock', 'timetable']);
    const known = bus({scheduled: at(3)});
    expect(etaOf(known, now, 'pale').kind).toBe('range');
    expect(etaOf(known, now, 'clock')).toEqual({kind: 'aboutTime', time: now + 5 * 60_000});
    expect(etaOf(known, now, 'timetable')).toEqual({kind: 'timetable', time: now + 3 * 60_000});
    expect(etaOf(bus(), now, 'timetable').kind).toBe('aboutTime');
  });

  test('a lost bus never has minutes, whatever it was predicted for', () => {
    for (const late of [0, 2, 20]) expect(etaOf(bus({state: 'stale', ...span(0, 1, late)}), now).kind).toBe('lost');
  });
});

describe('a bus is offered', () => {
  test.each([
    ['until its latest time', bus(span(-3, -1, 0.1)), false],
    ['not after it', bus(span(-3, -2, -0.1)), true],
    ['by the timetable until a minute after', bus({state: 'scheduled', scheduled: at(-0.5), early: undefined, late: undefined, expected: undefined} as unknown as Departure), false],
  ])('%s', (_, d, is) => expect(gone(d, now)).toBe(is));

  test('if it can be caught on foot', () => {
    expect(catchable(bus(), 300, now)).toBe(true);
    expect(catchable(bus(), 360, now)).toBe(false);
    expect(catchable(bus({state: 'not_coming'}), 0, now)).toBe(false);
  });
});

test.each([
  [0, {kind: 'in', minutes: 3}],
  [140, {kind: 'now'}],
  [192, {kind: 'now'}],
  [193, {kind: 'tight'}],
  [353, {kind: 'tight'}],
  [354, {kind: 'missed'}],
])('a walk of %d s: %j', (walk, leave) => expect(leaveFor(bus(), walk, now)).toEqual(leave));

test('nobody is sent to a bus that is not sure', () => {
  expect(leaveFor(bus({confidence: 0.7}), 60, now)).toBeUndefined();
  expect(leaveFor(bus({state: 'scheduled'}), 60, now)).toBeUndefined();
  expect(leaveFor(bus({state: 'stale'}), 60, now)).toBeUndefined();
});

describe('a row', () => {
  const [soon, later, last] = [bus(), bus(span(12, 14, 17)), bus({state: 'scheduled', scheduled: at(30)})];

  test('shows the first bus that can be caught, and what follows', () => {
    expect(choose([soon, later, last], 60, now)).toEqual({large: soon, later: [later, last]});
    expect(choose([soon, later, last], 600, now)).toEqual({large: later, later: [last]});
  });

  test('shows the last bus if none can be caught', () => expect(choose([soon, later], 3000, now)).toEqual({large: later, later: []}));

  test('passes over trips that nobody reports, if there is a bus', () => {
    const missing = bus({state: 'no_report', scheduled: at(-2)});
    expect(choose([missing, later], 60, now)?.large).toBe(later);
    expect(choose([missing], 60, now)?.large).toBe(missing);
  });

  test('prefers a bus that reports to one that is lost', () => {
    const lost = bus({state: 'stale', time: at(-3)});
    expect(choose([lost, later], 60, now)?.large).toBe(later);
    expect(choose([lost], 60, now)?.large).toBe(lost);
  });

  test('is left out if every bus has passed', () => expect(choose([bus(span(-9, -8, -7))], 60, now)).toBeUndefined());
});

test('rows stand in the order in which buses come, doubtful ones last', () => {
  const rows = [bus({state: 'no_report', scheduled: at(-3)}), bus(span(8, 9, 10)), bus({state: 'scheduled', scheduled: at(7), expected: at(20)}), bus()];
  expect(rows.toSorted((a, b) => rank(a, now) - rank(b, now)).map((d) => rows.indexOf(d))).toEqual([3, 2, 1, 0]);
  expect(rank(bus(), now, 600)).toBeGreaterThan(rank(bus(span(20, 25, 30)), now, 600)); // too far to catch
});

describe('lateness is told', () => {
  test.each<[string, Partial<Departure>, number | undefined]>([
    ['of a bus that reports', {scheduled: at(1)}, 4],
    ['not of an inferred line', {scheduled: at(1), confidence: 0.7}, undefined],
    ['of a surely inferred one', {scheduled: at(1), confidence: 0.9}, 4],
    ['not far ahead', {...span(15, 16, 17), scheduled: at(10)}, undefined],
    ['not of a lost bus', {scheduled: at(1), state: 'stale'}, undefined],
    ['not without a timetable', {}, undefined],
  ])('%s', (_, change, minutes) => expect(delayOf(bus(change), now)).toBe(minutes));
});

test.each([
  ['EMPTY', 0], ['MANY_SEATS_AVAILABLE', 1], ['FEW_SEATS_AVAILABLE', 2], ['FULL', 3], ['NO_DATA_AVAILABLE', undefined], [undefined, undefined],
])('%s is drawn as %s figures', (occupancy, figures) => expect(crowding(occupancy)).toBe(figures));

test.each([[0, 0], [50, 0], [50.4, 0], [51, 1], [150, 2], [151, 3], [300, 4], [301, 5]])('VN_AQI %d is of class %d', (value, number) => expect(classOf(value)).toBe(number));
