import type {BusFeature, Gone, Hello, StationFeature} from './contract.ts';
import {busKey} from './fleet.ts';

/** Where the live line stands: `filling` is between the api's hello and its ready. */
export type Link = 'connecting' | 'filling' | 'live' | 'lost';

/** What the live line tells. */
export interface Listener {
  hello(hello: Hello): void;
  bus(feature: BusFeature): void;
  air(feature: StationFeature): void;
  gone(gone: Gone): void;
  /** The whole city was sent: what is not named here has left while nobody listened. */
  complete(buses: ReadonlySet<string>, stations: ReadonlySet<string>): void;
  link(link: Link): void;
  /** A message that cannot be read; it is left out and the rest goes on. */
  unreadable(event: string, error: unknown): void;
}

/** The names of the api's events. */
export const eventNames = ['hello', 'bus', 'air', 'ready', 'gone'] as const;
export type EventName = (typeof eventNames)[number];

/** Follows the order of the events on /v1/live over reconnections. Knows nothing of the wire. */
export class Session {
  readonly #to: Listener;
  #link: Link = 'connecting';
  #buses = new Set<string>();
  #stations = new Set<string>();

  constructor(to: Listener) {
    this.#to = to;
  }

  get link(): Link {
    return this.#link;
  }

  /** Takes one event as it came. */
  take(event: EventName, data: string): void {
    try {
      this.#take(event, data);
    } catch (error) {
      this.#to.unreadable(event, error);
    }
  }

  /** The line broke; the next thing will be another hello. */
  lost(): void {
    this.#turn('lost');
  }

  #take(event: EventName, data: string): void {
    switch (event) {
      case 'hello':
        return this.#hello(JSON.parse(data) as Hello);
      case 'ready':
        return this.#ready();
      case 'bus':
        return this.#bus(JSON.parse(data) as BusFeature);
      case 'air':
        return this.#air(JSON.parse(data) as StationFeature);
      case 'gone':
        return this.#to.gone(JSON.parse(data) as Gone);
    }
  }

  #hello(hello: Hello): void {
    this.#buses = new Set();
    this.#stations = new Set();
    this.#to.hello(hello);
    this.#turn('filling');
  }

  #bus(feature: BusFeature): void {
    const {agency, id} = feature.properties;
    if (this.#link === 'filling') this.#buses.add(busKey(agency, id));
    this.#to.bus(feature);
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
