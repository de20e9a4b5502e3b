// The answers of the api that the map reads, as api/openapi.yaml describes them (openapi.ts), and the events of /v1/live.

import type {AQI, Answers, Bus, Readings as ApiReadings, State, Station, Value as ApiValue} from './openapi.ts';

export type {Flag, Point, State} from './openapi.ts';

/** WGS84 degrees, longitude first. */
export type LonLat = readonly [lon: number, lat: number];

/** Quantities that can color stations; concentrations in µg/m³. */
export const quantities = ['pm25', 'pm10', 'no2', 'so2', 'co', 'o3'] as const;
export type Quantity = (typeof quantities)[number];

/** `n` is the number of the bus in the rows of this stream, in the compact form. */
export type BusProperties = Bus['properties'] & {n?: number};

export type BusFeature = Omit<Bus, 'properties'> & {properties: BusProperties};

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
  base?: string; // to which the times of rows refer, in the compact form
}

/**
 * A bus that only moved, in the compact form: its number, longitude and latitude in 10⁻⁶ degrees, ms since the base,
 * bearing, speed, delay_s, passengers, next_stop. Unknown values are null, and those at the end are missing.
 */
export type Row = readonly [n: number, lon: number, lat: number, ms: number, bearing?: number | null, speed?: number | null, delay?: number | null, passengers?: number | null, next?: string];

export type Gone = {kind: 'bus'; agency: string; id: string} | {kind: 'air'; id: string};

/** The versions of the tile sets: a set is another one when its text is. */
export interface TileVersions {
  air: string;
  transit: string;
  zones: string;
}
