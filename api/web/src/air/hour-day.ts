import {type Format, zone} from '../core/format.ts';

const days = new Intl.DateTimeFormat('en-GB', {timeZone: zone, day: '2-digit', month: '2-digit'});

/** An hour and its day in Hanoi's time: "06:00, 30/11". The hour is what is looked for. */
export function hourDay(f: Format, time: number): string {
  return `${f.hour(time)}, ${dayMonth(time)}`;
}

/** "30/11", which both languages read. */
export function dayMonth(time: number): string {
  return days.format(time);
}
