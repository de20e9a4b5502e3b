import {type Format, zone} from '../core/format.ts';

const days = new Intl.DateTimeFormat('en-GB', {timeZone: zone, day: '2-digit', month: '2-digit'});

const dates = new Intl.DateTimeFormat('en-GB', {timeZone: zone, day: '2-digit', month: '2-digit', year: 'numeric'});

/** An hour and its day in Hanoi's time: "06:00, 30/11". The hour is what is looked for. */
export function hourDay(f: Format, time: number): string {
  return `${f.hour(time)}, ${dayMonth(time)}`;
}

/** "30/11", which both languages read. */
export function dayMonth(time: number): string {
  return days.format(time);
}

/** "06:00, 30/11/2026": for what is read later and elsewhere. */
export function hourDate(f: Format, time: number): string {
  return `${f.hour(time)}, ${dates.format(time)}`;
}
