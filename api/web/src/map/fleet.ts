import type {CityClock} from '../core/city-clock.ts';
import type {BusInfo, LonLat, State} from '../core/contract.ts';
import type {Fix} from '../core/live.ts';
import {FixInterval} from '../core/staleness.ts';
import {type Glide, glideTo, moving, shownAt, stand, type Way} from './glide.ts';

/** One bus on the map. */
export interface Bus {
  readonly key: string; // agency and id
  readonly number: number; // a small integer id, which the map's sources need
  info: BusInfo;
  fix: LonLat;
  /** When the bus was there, ms of the platform's clock. */
  time: number;
  bearing: number | null;
  /** As in GTFS-realtime: 0 empty … 5 full; null: unknown. */
  occupancy: number | null;
  state: State;
}

interface Tracked extends Bus {
  glide: Glide;
  interval: FixInterval;
}

/** Buses that have been silent for longer leave the rider's map; the api keeps them for two hours. ms. */
const forgetAfter = 600_000;

/** Returns the key of a bus, unique over all agencies. */
export function busKey(agency: string, id: string): string {
  return `${agency}/${id}`;
}

/** The line of a bus: the number that riders know, or else the id of its route, which often is that
 * number and is always unique. */
export function lineOf(info: BusInfo): string | undefined {
  return info.line || info.route;
}

/** How sure it is which line a bus serves: what it tells itself, or what was inferred with a probability. */
export function certainty(info: BusInfo): 'sure' | 'likely' | 'unknown' {
  if (info.confidence === undefined) return lineOf(info) ? 'sure' : 'unknown';
  return info.confidence >= 0.8 ? 'sure' : info.confidence >= 0.5 ? 'likely' : 'unknown';
}

/** The buses of the subscription and their places on the map. Times named `now` are ms of the page's clock. */
export class Fleet {
  readonly #buses = new Map<string, Tracked>();
  readonly #keys = new Map<number, string>(); // by the stream's number
  readonly #clock: CityClock;
  #numbers = 0;
  /** False if the user prefers reduced motion: buses then jump from position to position. */
  gliding = true;
  /** The way of a bus, along which it glides; undefined: straight ahead. */
  wayOf: (info: BusInfo) => Way | undefined = () => undefined;

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

  /** Updates what is known of a bus. `jump` is for a hidden page. */
  put(info: BusInfo, n: number, fix: Fix, now: number, jump = false): void {
    const key = busKey(info.agency, info.id);
    this.#keys.set(n, key);
    const known = this.#buses.get(key);
    if (known) {
      known.info = info;
      return this.#move(known, fix, now, jump);
    }
    const at: LonLat = [fix.lon, fix.lat];
    this.#buses.set(key, {
      key, info, fix: at, number: ++this.#numbers, time: this.#clock.now() - 1000 * fix.age,
      bearing: fix.bearing, occupancy: fix.occupancy, state: fix.stale ? 'stale' : 'live', glide: stand(at), interval: new FixInterval(),
    });
  }

  /** Moves the bus with a number of the stream; an unknown one is ignored, its introduction will follow. */
  move(n: number, fix: Fix, now: number, jump = false): void {
    const bus = this.#buses.get(this.#keys.get(n) ?? '');
    if (bus) this.#move(bus, fix, now, jump);
  }

  #move(bus: Tracked, fix: Fix, now: number, jump: boolean): void {
    const time = this.#clock.now() - 1000 * fix.age;
    bus.interval.observe((time - bus.time) / 1000);
    const interval = jump || !this.gliding ? 0 : (bus.interval.seconds * 1000) / this.#clock.rate;
    const at: LonLat = [fix.lon, fix.lat];
    if (at[0] !== bus.fix[0] || at[1] !== bus.fix[1]) bus.glide = glideTo(bus.glide, at, now, interval, this.wayOf(bus.info));
    bus.fix = at;
    bus.time = time;
    bus.bearing = fix.bearing;
    bus.occupancy = fix.occupancy;
    bus.state = fix.stale ? 'stale' : 'live';
  }

  remove(n: number): void {
    this.#buses.delete(this.#keys.get(n) ?? '');
    this.#keys.delete(n);
  }

  /** The stream begins anew: its numbers mean other buses. What it does not introduce again is dropped by `complete`. */
  begin(): void {
    this.#keys.clear();
  }

  /** The stream has introduced every bus of the subscription. */
  complete(): void {
    const there = new Set(this.#keys.values());
    for (const key of this.#buses.keys()) if (!there.has(key)) this.#buses.delete(key);
  }

  /** Updates the age of every bus; returns true if a state changed or a bus left. */
  age(): boolean {
    let changed = false;
    for (const bus of this.#buses.values()) {
      const age = this.#clock.now() - bus.time;
      const state = bus.state === 'stale' || age > 1000 * bus.info.stale_after_s ? 'stale' : 'live';
      changed ||= state !== bus.state || age > forgetAfter;
      bus.state = state;
      if (age > forgetAfter) this.#buses.delete(bus.key);
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
