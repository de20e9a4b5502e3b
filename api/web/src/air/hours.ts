import {hourText} from './choice.ts';

// The slider over the last day: positions are hours back, 0 is now.

const hour = 3_600_000;

/** How far back the slider goes, in hours. */
export const reach = 24;

/** How long each hour is shown when the day is played, in ms. */
export const pace = 700;

/** An hour that can be chosen. */
export interface Slot {
  /** Hours before the newest one on the map. */
  back: number;
  /** The end of the hour, RFC 3339. */
  time: string;
  /** No station has values of it. */
  empty: boolean;
}

/** The hours of an answer of /v1/air/hours, the oldest first. */
export function slotsOf(hours: readonly {time: string; stations: number}[]): Slot[] {
  return hours.slice(0, reach + 1).map(({time, stations}, back) => ({back, time: hourText(Date.parse(time)), empty: stations === 0})).toReversed();
}

/** Without an answer: the last hours of a clock, none of which is known to be empty. */
export function guessSlots(now: number): Slot[] {
  const newest = Math.floor(now / hour) * hour;
  return Array.from({length: reach}, (_, i) => reach - 1 - i).map((back) => ({back, time: hourText(newest - back * hour), empty: false}));
}

/** The position of a time on the slider: of the newest hour if it is undefined, and -1 if it is not on it. */
export function positionOf(slots: readonly Slot[], time: string | undefined): number {
  return time === undefined ? slots.length - 1 : slots.findIndex((slot) => slot.time === time);
}

/** The next position to play; undefined at the end. Empty hours are shown, too: they happened. */
export function nextPosition(slots: readonly Slot[], position: number): number | undefined {
  return position + 1 < slots.length ? position + 1 : undefined;
}

/** Runs of empty hours, as shares of the slider from the left: for hatching. */
export function emptyRuns(slots: readonly Slot[]): {from: number; to: number}[] {
  const runs: {from: number; to: number}[] = [];
  const steps = Math.max(1, slots.length - 1);
  for (const [i, {empty}] of slots.entries()) {
    if (!empty) continue;
    const [from, to] = [Math.max(0, i - 0.5) / steps, Math.min(steps, i + 0.5) / steps];
    const last = runs.at(-1);
    if (last && last.to >= from) last.to = to;
    else runs.push({from, to});
  }
  return runs;
}
