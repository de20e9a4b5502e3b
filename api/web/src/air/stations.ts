import type {IndexLevel, Station} from '../openapi.ts';
import type {Choice} from './choice.ts';
import {classOf, type Legend} from './classes.ts';

// What a list and a map say of a station: one number on one scale, or why there is none.

/** Why a station has no number, or one that does not count. */
export type Doubt = 'stale' | 'silent' | 'suspect' | 'none';

/** A station as the map of the air shows it. */
export interface Reported {
  id: string;
  name: {vi: string; en: string} | undefined;
  at: readonly [lon: number, lat: number] | undefined;
  /** The index, or the concentration in µg/m³ if a quantity is chosen. */
  value: number | undefined;
  level: IndexLevel | undefined;
  dominant: string | undefined;
  sensor: boolean; // low-cost
  doubt: Doubt | undefined;
  /** When its newest value or, in the past, the hour ended; undefined if never. */
  time: string | undefined;
  /** The end of the hour of its index. */
  hour: string | undefined;
}

/** Reads a station. Numbers of the index stay until the api withdraws them; a suspect hour counts nowhere. */
export function reportedOf({geometry, properties: p}: Station, choice: Pick<Choice, 'quantity'>, legend: Legend | undefined): Reported {
  const sub = choice.quantity === undefined ? undefined : p.aqi?.sub_indices.find(({quantity}) => quantity === choice.quantity);
  const found = choice.quantity === undefined ? p.aqi && {value: p.aqi.value, level: p.aqi.level} : sub && {value: sub.concentration, level: levelOf(legend, sub.value)};
  const [lon, lat] = geometry?.coordinates ?? [];
  return {
    id: p.id, name: p.name, at: lon === undefined || lat === undefined ? undefined : [lon, lat], value: found?.value, level: found?.level,
    dominant: choice.quantity ?? p.aqi?.dominant, sensor: p.kind === 'low-cost', doubt: doubtOf(p, found?.value), time: p.time ?? undefined,
    hour: p.aqi?.time,
  };
}

function levelOf(legend: Legend | undefined, value: number): IndexLevel | undefined {
  const found = classOf(legend, value);
  return found && {number: found.number, name: found.name, color: found.color};
}

function doubtOf(p: Station['properties'], value: number | undefined): Doubt | undefined {
  if (p.state === 'silent') return 'silent';
  if (p.aqi?.suspect || (value === undefined && ['pm25', 'pm10'].some((q) => [3, 4].includes(p.values[q]?.flag ?? 1)))) return 'suspect';
  if (p.state === 'stale' || p.aqi?.state === 'stale') return 'stale';
  return value === undefined ? 'none' : undefined;
}

/** Counts in summaries and pictures: has a number that is not in doubt. */
export function counts({value, doubt}: Reported): boolean {
  return value !== undefined && doubt !== 'suspect';
}

/** Worst first; then those without a number, by name. */
export function worstFirst(list: readonly Reported[], nameOf: (s: Reported) => string): Reported[] {
  return list.toSorted((a, b) => Number(counts(b)) - Number(counts(a)) || (b.value ?? -1) - (a.value ?? -1) || nameOf(a).localeCompare(nameOf(b), 'vi'));
}

/** How many stations have a number, and which is the worst. */
export function summaryOf(list: readonly Reported[]): {known: number; all: number; worst: Reported | undefined} {
  const known = list.filter(counts);
  const worst = known.reduce<Reported | undefined>((a, b) => (a === undefined || (b.value ?? 0) > (a.value ?? 0) ? b : a), undefined);
  return {known: known.length, all: list.length, worst};
}
