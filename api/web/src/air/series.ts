import {type Reading, quantities, type Quantity} from '../core/contract.ts';

/** Readings for a chart: times in seconds since 1970, null where the line breaks. */
export type Series = [times: number[], values: (number | null)[]];

/**
 * Sorts readings by time. The line breaks where more than 2.5 usual intervals lie between two of them,
 * because a chart must not show values that were not measured. A value that failed a check breaks it, too.
 */
export function seriesOf(readings: readonly Reading[]): Series {
  const times: number[] = [];
  const values: (number | null)[] = [];
  const usual = spacing(readings);
  for (const reading of readings) {
    const time = Date.parse(reading.time) / 1000;
    const before = times.at(-1);
    if (before !== undefined && time - before > 2.5 * usual) {
      times.push((time + before) / 2);
      values.push(null);
    }
    times.push(time);
    values.push(reading.flag === 4 || reading.flag === 9 ? null : reading.value);
  }
  return [times, values];
}

/** Returns the readings of one averaging period, the wanted one if there are any: a chart that mixes
 * hourly means with raw values is misleading. */
export function ofOnePeriod(readings: readonly Reading[], wanted: string | undefined): Reading[] {
  const period = readings.some((r) => r.period === wanted) ? wanted : readings.at(-1)?.period;
  return readings.filter((r) => r.period === period);
}

/** Returns the lowest, highest and newest value of a series; undefined if it is empty. */
export function extent([, values]: Series): {low: number; high: number; last: number} | undefined {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return undefined;
  return {low: known.reduce((a, b) => Math.min(a, b)), high: known.reduce((a, b) => Math.max(a, b)), last};
}

/** Reports whether the map has a color scale for a quantity. */
export function hasScale(quantity: string): quantity is Quantity {
  return (quantities as readonly string[]).includes(quantity);
}

function spacing(readings: readonly Reading[]): number {
  const gaps = readings.slice(1).map((r, i) => (Date.parse(r.time) - Date.parse(readings[i]?.time ?? '')) / 1000);
  const sorted = gaps.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Infinity;
}
