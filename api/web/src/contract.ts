// The answers of the api, as api/openapi.yaml describes them. Only fields that the map reads are listed.

/** WGS84 degrees, longitude first. */
export type LonLat = readonly [lon: number, lat: number];

/** Whether a fact is current. */
export type State = 'live' | 'stale';

/** Quantities that can color stations; concentrations in µg/m³. */
export const quantities = ['pm25', 'pm10', 'no2', 'so2', 'co', 'o3'] as const;
export type Quantity = (typeof quantities)[number];

/** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
export type Flag = 1 | 2 | 3 | 4 | 9;

export interface Point {
  type: 'Point';
  coordinates: LonLat;
}

export interface BusProperties {
  id: string;
  agency: string;
  route?: string;
  line?: string;
  headsign?: string;
  occupancy?: string;
  delay_s?: number; // positive = late
  bearing?: number; // degrees clockwise from north
  speed?: number; // m/s
  distance_m?: number;
  time: string;
  age_s: number;
  state: State;
  stale_after_s: number; // the age at which the position becomes stale
  origin?: 'simulated';
  n?: number; // of the bus in the rows of this stream, in the compact form
}

export interface BusFeature {
  type: 'Feature';
  geometry: Point;
  properties: BusProperties;
}

export interface Value {
  value: number;
  unit: string;
  time: string; // END of the period
  period: string; // "1h", "5m", "30s"
  state: State; // of this instrument; others of its station may still report
  flag: Flag;
}

/** An air-quality index, with everything needed to interpret it. */
export interface Index {
  scale: string;
  source: string;
  time: string; // END of the hour
  value: number;
  level: {name: {vi: string; en: string}; color: string};
  dominant: string;
  state: State;
}

export interface StationProperties {
  id: string;
  time: string; // of the newest value
  age_s: number;
  state: State;
  values: Record<string, Value>;
  aqi?: Index; // missing without a recent valid hour
  origin?: 'simulated';
}

export interface StationFeature {
  type: 'Feature';
  geometry: Point | null;
  properties: StationProperties;
}

export interface Reading {
  time: string; // END of the period
  quantity: string;
  value: number | null; // null if it failed a check
  unit: string;
  period: string;
  flag: Flag;
}

export interface Readings {
  station: string;
  from: string;
  to: string;
  readings: Reading[];
}

export interface MapInfo {
  style: string | null;
  pmtiles?: string; // path of a base map in one file
  center: [number, number];
  zoom: number;
  bounds?: [number, number, number, number] | null;
  attribution: string;
  simulated?: boolean;
}

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
