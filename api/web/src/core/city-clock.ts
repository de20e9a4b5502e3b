/**
 * The platform's clock. It may run at another time and at N times real speed, for example when a recorded day is
 * replayed, so ages are computed with this clock only. Until the first `set` it shows real time.
 */
export class CityClock {
  #time = 0; // the platform's time at #at, ms since 1970
  #at: number | undefined; // ms of the page's monotonic clock
  #rate = 1;
  readonly #monotonic: () => number;

  /** @param monotonic milliseconds that never jump; default: the page's clock */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** Sets the time (ms since 1970) and the speed: 1 in real time. */
  set(time: number, rate: number): void {
    this.#time = time;
    this.#rate = rate > 0 ? rate : 1;
    this.#at = this.#monotonic();
  }

  /** Whether it was set. */
  get known(): boolean {
    return this.#at !== undefined;
  }

  get rate(): number {
    return this.#rate;
  }

  /** The time now, in ms since 1970. */
  now(): number {
    if (this.#at === undefined) return Date.now();
    return this.#time + (this.#monotonic() - this.#at) * this.#rate;
  }

  /** Seconds of this clock since an RFC 3339 time; at least 0, because clocks differ a little. */
  age(time: string): number {
    return Math.max(0, (this.now() - Date.parse(time)) / 1000);
  }
}
