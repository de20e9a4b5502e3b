import type {Wish} from '../core/reminders.ts';
import type {Departure} from '../openapi.ts';
import {leaveFor} from './eta.ts';

/** Minutes before the bus, as offered; the middle one is preset at the stop itself. */
const minutes = [3, 5, 10] as const;

/**
 * What a rider may be reminded of for a departure: when to leave, which is preset while there is time to, and some
 * minutes before it comes. Nothing for a trip that does not run.
 */
export function wishesFor(d: Departure, walk: number | undefined, now: number): Wish[] {
  if (d.state === 'canceled' || d.state === 'skipped' || d.state === 'not_coming') return [];
  const about = {stop: d.stop, line: d.route, ...(d.direction === undefined ? {} : {direction: d.direction}), ...(d.trip === undefined || d.state !== 'live' ? {} : {trip: d.trip})};
  const before: Wish[] = [];
  for (const m of walk === undefined ? [5, 3, 10] : minutes) before.push({kind: 'bus', ...about, minutes: m});
  if (walk === undefined) return before;
  const leave = leaveFor(d, walk, now);
  const first: Wish = {kind: 'leave', ...about, walk_s: Math.min(3600, Math.round(walk))};
  return leave?.kind === 'tight' || leave?.kind === 'missed' ? [...before, first] : [first, ...before];
}
