import type {CityClock} from '../core/city-clock.ts';
import type {State, StationFeature} from '../core/contract.ts';
import {stationState} from '../core/staleness.ts';

/** One station. */
export interface Monitor {
  readonly number: number; // a small integer id, which the map's sources need
  feature: StationFeature;
  state: State;
}

/** The stations of the city, including those without a position. */
export class Monitors {
  readonly #monitors = new Map<string, Monitor>();
  readonly #clock: CityClock;
  #numbers = 0;

  constructor(clock: CityClock) {
    this.#clock = clock;
  }

  get(id: string): Monitor | undefined {
    return this.#monitors.get(id);
  }

  all(): Iterable<Monitor> {
    return this.#monitors.values();
  }

  put(feature: StationFeature): void {
    const {id, state} = feature.properties;
    const number = this.#monitors.get(id)?.number ?? ++this.#numbers;
    this.#monitors.set(id, {number, feature, state});
  }

  remove(id: string): void {
    this.#monitors.delete(id);
  }

  /** Removes every station that is not in `ids`. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#monitors.keys()) if (!ids.has(id)) this.#monitors.delete(id);
  }

  /** Updates the age of every station; returns true if a state changed. */
  age(): boolean {
    let changed = false;
    for (const monitor of this.#monitors.values()) {
      const state = stationState(monitor.feature.properties, this.#clock.now());
      changed ||= state !== monitor.state;
      monitor.state = state;
    }
    return changed;
  }
}
