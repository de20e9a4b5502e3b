// The answers of the api that the map reads, as api/openapi.yaml describes them (openapi.ts), and the events of /v1/live.

import type {AQI, Answers, Readings as ApiReadings, State, Station, Value as ApiValue} from '../openapi.ts';

export type {Flag, Point, State} from '../openapi.ts';

/** WGS84 degrees, longitude first. */
export type LonLat = readonly [lon: number, lat: number];

/** Reports whether a value is a place; what a device remembers may be anything. */
export function isLonLat(value: unknown): value is LonLat {
  return Array.isArray(value) && value.length === 2 && value.every((degrees) => typeof degrees === 'number' && Math.abs(degrees) <= 180);
}

/** Quantities that can color stations; concentrations in µg/m³. */
export const quantities = ['pm25', 'pm10', 'no2', 'so2', 'co', 'o3'] as const;
export type Quantity = (typeof quantities)[number];

/** What the stream tells of a bus when it introduces it. */
export interface BusInfo {
  id: string;
  agency: string;
  route?: string;
  line?: string;
  headsign?: string;
  trip?: string;
  direction?: 0 | 1;
  plate?: string;
  status?: 'in_service' | 'layover' | 'deadhead' | 'off_route' | 'unknown';
  inferred?: boolean;
  confidence?: number;
  stale_after_s: number;
  origin?: 'simulated';
}

export type Value = ApiValue;

/** An air-quality index, with everything needed to interpret it. */
export type Index = AQI;

/** A station on the map is not silent, so that it has a newest value. */
export type StationProperties = Omit<Station['properties'], 'time' | 'age_s' | 'state'> & {time: string; age_s: number; state: State};

export type StationFeature = Omit<Station, 'properties'> & {properties: StationProperties};

/** A row of `period=raw`; its value is null if it failed a check. */
export type Reading = Pick<ApiReadings['readings'][number], 'time' | 'quantity' | 'unit' | 'period' | 'flag'> & {value: number | null};

export type Readings = Omit<ApiReadings, 'readings'> & {readings: Reading[]};

export type MapInfo = Answers['/v1/map'];

export interface Hello {
  time: string;
  rate: number;
  origin?: LonLat; // to which rows refer
}

/**
 * A bus that moved: its number, 10⁻⁵ degrees east and north of the origin, the age of the fix in seconds, bearing,
 * occupancy (as in GTFS-realtime) and flags (1: stale). Unknown values are null; those at the end are missing.
 */
export type Row = readonly [n: number, x: number, y: number, age: number, bearing?: number | null, occupancy?: number | null, flags?: number];

export type Gone = {kind: 'bus'; n: number} | {kind: 'service-alert'; feed: string; id: string} | {kind: 'air' | 'stop' | 'zone'; id: string};

/** The versions of the tile sets: a set is another one when its text is. */
export interface TileVersions {
  air: string;
  transit: string;
  zones: string;
}
