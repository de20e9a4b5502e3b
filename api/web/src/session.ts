import type {BusFeature, BusProperties, Gone, Hello, Row, StationFeature, TileVersions} from './contract.ts';
import {busKey} from './fleet.ts';

/** The state of the live connection: `filling` is between the api's hello and its ready. */
export type Link = 'connecting' | 'filling' | 'live' | 'lost';

/** Events of the live connection. */
export interface Listener {
  hello(hello: Hello): void;
  bus(feature: BusFeature): void;
  air(feature: StationFeature): void;
  gone(gone: Gone): void;
  /** The complete state was sent: what is not listed here was removed during an interruption. */
  complete(buses: ReadonlySet<string>, stations: ReadonlySet<string>): void;
  link(link: Link): void;
  /** The versions of the tile sets; called again when one has changed. */
  tiles(versions: TileVersions): void;
  /** A message that can't be decoded; it is skipped. */
  unreadable(event: string, error: unknown): void;
}

/** The names of the api's events. */
export const eventNames = [
  'hello', 'resumed', 'reset', 'bus', 'moves', 'air', 'ready', 'gone', 'time', 'beat', 'tiles',
] as const;
export type EventName = (typeof eventNames)[number];

/** Processes the events of /v1/live, in the compact form, in order, over reconnects. Independent of the transport. */
export class Session {
  readonly #to: Listener;
  #link: Link = 'connecting';
  #buses = new Set<string>();
  #stations = new Set<string>();
  #described = new Map<number, BusFeature>(); // as last sent, by number
  #base = 0; // ms since 1970

  constructor(to: Listener) {
    this.#to = to;
  }

  get link(): Link {
    return this.#link;
  }

  /** Processes one event. */
  take(event: EventName, data: string): void {
    try {
      this.#take(event, data);
    } catch (error) {
      this.#to.unreadable(event, error);
    }
  }

  /** The connection broke; the next event is another hello. */
  lost(): void {
    this.#turn('lost');
  }

  #take(event: EventName, data: string): void {
    switch (event) {
      case 'hello':
        return this.#hello(JSON.parse(data) as Hello);
      case 'resumed':
        return this.#resumed(JSON.parse(data) as Hello);
      case 'ready':
        return this.#ready();
      case 'bus':
        return this.#bus(JSON.parse(data) as BusFeature);
      case 'moves':
        return (JSON.parse(data) as Row[]).forEach((row) => this.#move(row));
      case 'air':
        return this.#air(JSON.parse(data) as StationFeature);
      case 'gone':
        return this.#to.gone(JSON.parse(data) as Gone);
      case 'tiles':
        return this.#to.tiles(JSON.parse(data) as TileVersions);
      case 'reset': // hello follows
      case 'time':
      case 'beat':
        return; // they show only that the connection works
    }
  }

  #hello(hello: Hello): void {
    this.#buses = new Set();
    this.#stations = new Set();
    this.#described = new Map();
    this.#begin(hello);
    this.#turn('filling');
  }

  /** The stream continues where it broke; what was missed follows. */
  #resumed(hello: Hello): void {
    this.#begin(hello);
    this.#turn('live');
  }

  #begin(hello: Hello): void {
    this.#base = hello.base === undefined ? 0 : Date.parse(hello.base);
    this.#to.hello(hello);
  }

  #bus(feature: BusFeature): void {
    const {agency, id, n} = feature.properties;
    if (n !== undefined) this.#described.set(n, feature);
    if (this.#link === 'filling') this.#buses.add(busKey(agency, id));
    this.#to.bus(feature);
  }

  #move(row: Row): void {
    const was = this.#described.get(row[0]);
    if (was) this.#bus(moved(was, row, this.#base));
    else this.#to.unreadable('moves', new Error(`unknown bus ${row[0]}`));
  }

  #air(feature: StationFeature): void {
    if (this.#link === 'filling') this.#stations.add(feature.properties.id);
    this.#to.air(feature);
  }

  #ready(): void {
    this.#to.complete(this.#buses, this.#stations);
    this.#turn('live');
  }

  #turn(link: Link): void {
    if (link === this.#link) return;
    this.#link = link;
    this.#to.link(link);
  }
}

/** Returns a bus after a move. */
function moved(was: BusFeature, [, lon, lat, ms, bearing, speed, delay]: Row, base: number): BusFeature {
  const {bearing: _b, speed: _s, delay_s: _d, ...rest} = was.properties;
  const properties: BusProperties = {...rest, time: new Date(base + ms).toISOString(), age_s: 0, state: 'live'};
  if (typeof bearing === 'number') properties.bearing = bearing;
  if (typeof speed === 'number') properties.speed = speed;
  if (typeof delay === 'number') properties.delay_s = delay;
  return {type: 'Feature', geometry: {type: 'Point', coordinates: [lon / 1e6, lat / 1e6]}, properties};
}
