import type {Departure} from '../openapi.ts';

// What may be said of a bus that will come. A number that a rider could miss the bus by is not said: see the rules in
// docs/map.md. Everything here is a function of the api's answer and the platform's time, without a browser.

const minute = 60_000;

/** The longest span of minutes that is told as a range, and how far ahead minutes are told at all. */
const widest = 8;
const farthest = 30;

/** What to say instead of, or as, the minutes. Times are ms since 1970, spans are minutes. */
export type Eta =
  | {kind: 'arriving'}
  | {kind: 'soon'} // within two minutes
  | {kind: 'range'; from: number; to: number}
  | {kind: 'about'; minutes: number; from?: number; to?: number}
  | {kind: 'aboutTime'; time: number}
  | {kind: 'timetable'; time: number}
  | {kind: 'headway'; minutes: number}
  | {kind: 'lost'; minutes: number; away: number | undefined}
  | {kind: 'noReport'; time: number | undefined}
  | {kind: 'notComing'; time: number | undefined}
  | {kind: 'canceled' | 'skipped'; time: number | undefined};

/** How much an answer may still say, by its age: everything, a clock, or the timetable only. */
export type Freshness = 'fresh' | 'pale' | 'clock' | 'timetable';

/** The freshness of an answer of `time` (ms) at `now`. */
export function freshness(time: number, now: number): Freshness {
  const age = (now - time) / 1000;
  return age > 600 ? 'timetable' : age > 180 ? 'clock' : age > 40 ? 'pale' : 'fresh';
}

const at = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** Reports whether a bus is predicted, so that minutes may be said. */
function predicted(d: Departure): boolean {
  return (d.state === 'live' || d.state === 'forecast') && d.expected !== undefined;
}

/** Reports whether a departure is not to be offered any more: the bus has surely passed. */
export function gone(d: Departure, now: number): boolean {
  const last = at(d.late) ?? at(d.expected) ?? at(d.scheduled);
  if (d.state === 'live' || d.state === 'forecast') return last !== undefined && last < now;
  if (d.state === 'scheduled') return last !== undefined && last < now - minute;
  return false;
}

/** Reports whether it is only likely which line the bus serves. */
export function likely(d: Departure): boolean {
  return d.confidence !== undefined && d.confidence < 0.8;
}

/** What may be said of a departure at `now` (ms), from an answer of that freshness. */
export function etaOf(d: Departure, now: number, fresh: Freshness = 'fresh'): Eta {
  const scheduled = at(d.scheduled);
  if (d.state === 'canceled' || d.state === 'skipped') return {kind: d.state, time: scheduled};
  if (fresh === 'timetable' && scheduled !== undefined) return {kind: 'timetable', time: scheduled};
  if (d.state === 'stale') return {kind: 'lost', minutes: Math.max(1, Math.floor((now - (at(d.time) ?? now - 1000 * (d.age_s ?? 0))) / minute)), away: d.stops_away};
  if (d.state === 'no_report') return {kind: 'noReport', time: scheduled};
  if (d.state === 'not_coming') return {kind: 'notComing', time: scheduled};
  if (!predicted(d)) {
    if (d.headway_s !== undefined) return {kind: 'headway', minutes: Math.max(1, Math.round(d.headway_s / 60))};
    return scheduled === undefined ? {kind: 'noReport', time: undefined} : {kind: 'timetable', time: scheduled};
  }
  return predictedEta(d, now, fresh);
}

function predictedEta(d: Departure, now: number, fresh: Freshness): Eta {
  const expected = at(d.expected) ?? now;
  const [early, late] = [at(d.early) ?? expected, at(d.late) ?? expected];
  if (fresh === 'clock' || fresh === 'timetable') return {kind: 'aboutTime', time: expected};
  const from = Math.max(0, Math.floor((early - now) / minute));
  const to = Math.ceil((late - now) / minute);
  const middle = Math.max(1, Math.round((expected - now) / minute));
  if (!likely(d) && to <= 1) return {kind: 'arriving'};
  if (!likely(d) && to <= 2) return {kind: 'soon'};
  if (middle > farthest) return {kind: 'aboutTime', time: expected};
  const ranged = d.early !== undefined && d.late !== undefined;
  if (!ranged) return {kind: 'about', minutes: middle};
  if (likely(d) || to - from > widest) return {kind: 'about', minutes: middle, from, to};
  return {kind: 'range', from, to};
}

/** When to leave for a bus: now, in so many minutes, hardly in time, or not at all. */
export type Leave = {kind: 'now'} | {kind: 'tight'} | {kind: 'missed'} | {kind: 'in'; minutes: number};

/** When to start walking to catch a departure that is `walk` seconds away; undefined if it is not predicted surely. */
export function leaveFor(d: Departure, walk: number, now: number): Leave | undefined {
  if (!predicted(d) || d.early === undefined || likely(d)) return undefined;
  const slack = (Date.parse(d.early) - now) / minute - walk / 60 - 1;
  if (slack < 0) return (at(d.late) ?? 0) - now > walk * 1000 ? {kind: 'tight'} : {kind: 'missed'};
  return slack <= 1 ? {kind: 'now'} : {kind: 'in', minutes: Math.floor(slack)};
}

/** Reports whether a rider who starts now can be at the stop in time. */
export function catchable(d: Departure, walk: number, now: number): boolean {
  if (gone(d, now)) return false;
  if (d.state === 'live' || d.state === 'forecast' || d.state === 'stale') {
    const last = at(d.late) ?? at(d.expected);
    return last === undefined || last - now > walk * 1000;
  }
  const time = at(d.scheduled);
  return d.state === 'scheduled' && (time === undefined || time - now > walk * 1000);
}

/** The departures of a row: the one in large type, and up to two later ones. */
export interface Choice {
  large: Departure;
  later: Departure[];
}

/**
 * Chooses what a row shows: the first bus that can be caught, and what follows. If none can be, the last one that is
 * known is nearest to it; undefined if nothing is left.
 */
export function choose(departures: readonly Departure[], walk: number, now: number): Choice | undefined {
  const left = departures.filter((d) => !gone(d, now));
  const able = left.find((d) => d.state !== 'stale' && catchable(d, walk, now)) ?? left.find((d) => catchable(d, walk, now))
    ?? left.findLast((d) => d.state === 'live' || d.state === 'forecast') ?? left[0];
  if (!able) return undefined;
  const later = left.slice(left.indexOf(able) + 1).filter((d) => d.state === 'live' || d.state === 'forecast' || d.state === 'scheduled');
  return {large: able, later: later.slice(0, 2)};
}

/**
 * Where a departure stands in a list, ms: by its time; after all others one that can't be caught on foot, that is lost or
 * that nobody reports.
 */
export function rank(d: Departure, now: number, walk = 0): number {
  const offered = (d.state === 'live' || d.state === 'forecast' || d.state === 'scheduled') && catchable(d, walk, now);
  const doubtful = offered ? 0 : 86_400_000;
  return doubtful + ((d.state === 'scheduled' ? at(d.scheduled) : undefined) ?? at(d.expected) ?? at(d.scheduled) ?? now);
}

/** The most that the timetable may be off to be told, and for a bus of how long ahead, minutes. */
const longestAhead = 15;

/** Minutes by which a bus is late (negative: early) against the timetable; undefined if it can't be told honestly. */
export function delayOf(d: Departure, now: number): number | undefined {
  if (d.state !== 'live' || d.expected === undefined || d.scheduled === undefined || d.basis === 'next_trip') return undefined;
  if (d.confidence !== undefined && d.confidence < 0.8) return undefined;
  const expected = Date.parse(d.expected);
  if (expected - now > longestAhead * minute) return undefined;
  return Math.round((expected - Date.parse(d.scheduled)) / minute);
}

/** How crowded a bus is, as filled figures of three; undefined: unknown. */
export function crowding(occupancy: string | undefined): 0 | 1 | 2 | 3 | undefined {
  switch (occupancy) {
    case 'EMPTY':
      return 0;
    case 'MANY_SEATS_AVAILABLE':
      return 1;
    case 'FEW_SEATS_AVAILABLE':
      return 2;
    case 'STANDING_ROOM_ONLY':
    case 'CRUSHED_STANDING_ROOM_ONLY':
    case 'FULL':
    case 'NOT_ACCEPTING_PASSENGERS':
      return 3;
    default:
      return undefined;
  }
}

/** The class of a VN_AQI, 0 to 5, by the bounds of Decision 1459/QĐ-TCMT. */
export function classOf(value: number): number {
  const number = [50, 100, 150, 200, 300].findIndex((end) => Math.round(value) <= end);
  return number < 0 ? 5 : number;
}

/** The colors of the classes, as the Decision fixes them. */
export const classColors = ['#00E400', '#FFFF00', '#FF7E00', '#FF0000', '#8F3F97', '#7E0023'] as const;
