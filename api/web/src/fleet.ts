import type {CityClock} from './city-clock.ts';
import type {BusFeature, BusProperties, LonLat, State} from './contract.ts';
import {type Glide, glideTo, moving, shownAt, stand} from './glide.ts';
import {busState, FixInterval} from './staleness.ts';

/** One bus on the map. */
export interface Bus {
  readonly key: string; // agency and id
  readonly number: number; // a small integer id, which the map's sources need
  said: BusProperties;
  fix: LonLat;
  state: State;
}

interface Tracked extends Bus {
  glide: Glide;
  interval: FixInterval;
}

/** Returns the key of a bus, unique over all agencies. */
export function busKey(agency: string, id: string): string {
  return `${agency}/${id}`;
}

/** The line of a bus: the number that riders know, or else the id of its route, which often is that
 * number and is always unique. */
export function lineOf(said: BusProperties): string | undefined {
  return said.line || said.route;
}

/** The buses and their places on the map. Times named `now` are ms of the page's clock. */
export class Fleet {
  readonly #buses = new Map<string, Tracked>();
  readonly #clock: CityClock;
  #numbers = 0;
  /** False if the user prefers reduced motion: buses then jump from position to position. */
  gliding = true;

  constructor(clock: CityClock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#buses.size;
  }

  get(key: string): Bus | undefined {
    return this.#buses.get(key);
  }

  all(): Iterable<Bus> {
    return this.#buses.values();
  }

  /** Updates a bus. `jump` is for a hidden page. */
  put(feature: BusFeature, now: number, jump = false): void {
    const said = feature.properties;
    const key = busKey(said.agency, said.id);
    const known = this.#buses.get(key);
    if (known) this.#move(known, feature, now, jump);
    else this.#buses.set(key, this.#begin(key, feature));
  }

  #begin(key: string, feature: BusFeature): Tracked {
    const said = feature.properties;
    const fix = feature.geometry.coordinates;
    return {
      key, said, fix,
      number: ++this.#numbers,
      glide: stand(fix),
      interval: new FixInterval(),
      state: said.state,
    };
  }

  #move(bus: Tracked, feature: BusFeature, now: number, jump: boolean): void {
    const said = feature.properties;
    bus.interval.observe((Date.parse(said.time) - Date.parse(bus.said.time)) / 1000);
    const interval = jump || !this.gliding ? 0 : (bus.interval.seconds * 1000) / this.#clock.rate;
    const fix = feature.geometry.coordinates;
    if (fix[0] !== bus.fix[0] || fix[1] !== bus.fix[1]) bus.glide = glideTo(bus.glide, fix, now, interval);
    bus.said = said;
    bus.fix = fix;
    bus.state = said.state;
  }

  remove(key: string): void {
    this.#buses.delete(key);
  }

  /** Removes every bus that is not in `keys`. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#buses.keys()) if (!keys.has(key)) this.#buses.delete(key);
  }

  /** Updates the age of every bus; returns true if a state changed. */
  age(): boolean {
    let changed = false;
    for (const bus of this.#buses.values()) {
      const state = busState(bus.said, this.#clock.age(bus.said.time));
      changed ||= state !== bus.state;
      bus.state = state;
    }
    return changed;
  }

  /** Returns the place of a bus on the map. */
  shown(key: string, now: number): LonLat | undefined {
    const bus = this.#buses.get(key);
    return bus && shownAt(bus.glide, now);
  }

  /** Reports whether any bus is gliding. */
  moving(now: number): boolean {
    for (const bus of this.#buses.values()) if (moving(bus.glide, now)) return true;
    return false;
  }
}
