import type {Format} from '../core/format.ts';
import type {Departure} from '../openapi.ts';
import {type Eta, etaOf, type Freshness, type Leave, likely} from './eta.ts';
import type {RiderWords} from './words.ts';

// What is said of a departure, in words.

/** The right side of a row: a figure in large type with its unit, or words. */
export interface Said {
  figure?: string;
  unit?: string;
  /** Instead of a figure. */
  words?: string;
  /** Below it. */
  below?: string;
  /** Not measured: drawn soft. */
  soft: boolean;
}

export function sayEta(eta: Eta, w: RiderWords, f: Format): Said {
  switch (eta.kind) {
    case 'arriving':
      return {words: w.arriving, soft: false};
    case 'soon':
      return {words: w.soon, soft: false};
    case 'range':
      return {figure: `${eta.from}–${eta.to}`, unit: w.minutes, soft: false};
    case 'about':
      return {figure: `≈ ${eta.minutes}`, unit: w.minutes, soft: false, ...(eta.from === undefined || eta.to === undefined ? {} : {below: w.span(String(eta.from), String(eta.to))})};
    case 'aboutTime':
      return {figure: `≈ ${f.hour(eta.time)}`, soft: false};
    case 'timetable':
      return {words: f.hour(eta.time), below: w.timetable, soft: true};
    case 'headway':
      return {words: w.every(String(eta.minutes)), soft: true};
    case 'lost':
      return {words: w.lostShort, below: [w.lostAgo(String(eta.minutes)), away(eta.away, w)].filter(Boolean).join(', '), soft: true};
    case 'noReport':
      return {words: w.noReport, soft: true, ...(eta.time === undefined ? {} : {below: w.trip(f.hour(eta.time))})};
    case 'notComing':
      return {words: eta.time === undefined ? w.notComingNoTime : w.notComing(f.hour(eta.time)), soft: true};
    case 'canceled':
    case 'skipped':
      return {words: w[eta.kind], soft: true, ...(eta.time === undefined ? {} : {below: w.trip(f.hour(eta.time))})};
  }
}

/** How far a bus is, in stops. */
export function away(stops: number | undefined, w: RiderWords): string {
  return stops === undefined || stops < 1 ? '' : stops === 1 ? w.nextStop : w.stopsAway(String(stops));
}

/** A later departure in a few characters: "12–18", "≈22", "23:25". */
export function brief(d: Departure, now: number, fresh: Freshness, f: Format): string {
  const eta = etaOf(d, now, fresh);
  switch (eta.kind) {
    case 'arriving':
    case 'soon':
      return '0–2';
    case 'range':
      return `${eta.from}–${eta.to}`;
    case 'about':
      return `≈${eta.minutes}`;
    case 'aboutTime':
      return `≈${f.hour(eta.time)}`;
    case 'timetable':
      return f.hour(eta.time);
    case 'headway':
      return `+${eta.minutes}`;
    default:
      return '';
  }
}

/** When to leave, in words. */
export function sayLeave(leave: Leave | undefined, w: RiderWords): string {
  if (leave === undefined) return '';
  if (leave.kind === 'in') return w.leaveIn(String(leave.minutes));
  return leave.kind === 'now' ? w.leaveNow : leave.kind === 'tight' ? w.tight : w.missed;
}

/** The time of a departure as a whole phrase, for those who listen. */
export function speakEta(eta: Eta, w: RiderWords, f: Format): string {
  switch (eta.kind) {
    case 'arriving':
      return w.sayArriving;
    case 'soon':
      return w.saySoon;
    case 'range':
      return w.sayRange(String(eta.from), String(eta.to));
    case 'about':
      return w.sayAbout(String(eta.minutes));
    case 'aboutTime':
      return w.sayAboutTime(f.hour(eta.time));
    case 'timetable':
      return w.sayTimetable(f.hour(eta.time));
    case 'lost':
      return [w.lost(String(eta.minutes)), away(eta.away, w)].filter(Boolean).join(', ');
    default: {
      const {words = '', below} = sayEta(eta, w, f);
      return below ? `${words}, ${below}` : words;
    }
  }
}

/** A row as one sentence: line, minutes, crowding, stop, walk, when to leave. */
export function speakRow(d: Departure, headsign: string, now: number, fresh: Freshness, extra: (string | undefined)[], w: RiderWords, f: Format): string {
  return [w.sayLine(d.line, headsign), likely(d) ? w.likelyLine(d.line) : undefined, speakEta(etaOf(d, now, fresh), w, f), ...extra].filter(Boolean).join(', ');
}

/** Minutes of a walk, rounded up so that nobody is late. */
export function walkMinutes(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / 60 - 0.2));
}
