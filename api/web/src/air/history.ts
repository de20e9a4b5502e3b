import type {AQI, ReadingRow} from '../openapi.ts';

// The last day or week of a station as a line with gaps: hours without values stay empty.

/** Hours for a chart: ends in seconds since 1970, and null where there is no value. */
export type Series = [times: number[], values: (number | null)[]];

/** One hour of a history. */
export interface Hour {
  /** The end of the hour, ms since 1970. */
  time: number;
  value: number;
  level: {name: {vi: string; en: string}; color: string} | undefined;
  /** Staff have changed it. */
  revised: boolean;
}

const hour = 3_600_000;

/** The indices of a station as hours. */
export function hoursOfIndices(indices: readonly AQI[]): Hour[] {
  return indices.map(({time, value, level}) => ({time: Date.parse(time), value, level: {name: level.name as {vi: string; en: string}, color: level.color}, revised: false}));
}

/** The hourly means of a quantity; those that failed a check are left out. */
export function hoursOfReadings(rows: readonly ReadingRow[]): Hour[] {
  return rows.flatMap(({time, mean, flag, level}) => (mean === null || mean === undefined || flag === 4 || flag === 9 ? [] : [{time: Date.parse(time), value: mean, level: undefined, revised: level === 'reviewed'}]));
}

/** One point for each hour from `from` (exclusive) to `to`, ms; hours without values are null. */
export function seriesOf(hours: readonly Hour[], from: number, to: number): Series {
  const values = new Map(hours.map(({time, value}) => [Math.round(time / hour), value]));
  const [times, out]: Series = [[], []];
  for (let n = Math.floor(from / hour) + 1; n <= Math.floor(to / hour); n++) {
    times.push((n * hour) / 1000);
    out.push(values.get(n) ?? null);
  }
  return [times, out];
}

/** The lowest, highest and newest value; undefined if there is none. */
export function extent([, values]: Series): {low: number; high: number; last: number} | undefined {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return undefined;
  return {low: Math.min(...known), high: Math.max(...known), last};
}

/** From zero to a little above the highest value. */
export function heightRange(series: Series): [number, number] {
  const span = extent(series);
  return span ? [Math.min(0, span.low), Math.max(span.high * 1.12, span.low + 1, 1)] : [0, 1];
}
