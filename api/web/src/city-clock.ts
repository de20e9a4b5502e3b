/**
 * The city's clock. The api may run it from another moment and at N times our speed (a recorded
 * day played back), so ages are only ever counted with it. Until the first `set` it is ours.
 */
export class CityClock {
  #time = 0; // ms since 1970, the city's, when #at was
  #at: number | undefined; // ms of the page's monotonic clock
  #rate = 1;
  readonly #monotonic: () => number;

  /** @param monotonic milliseconds that never jump, by default the page's own */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** Takes the city's time (ms since 1970) and how many of its seconds pass in one of ours. */
  set(time: number, rate: number): void {
    this.#time = time;
    this.#rate = rate > 0 ? rate : 1;
    this.#at = this.#monotonic();
  }

  get rate(): number {
    return this.#rate;
  }

  /** The city's time now, in ms since 1970. */
  now(): number {
    if (this.#at === undefined) return Date.now();
    return this.#time + (this.#monotonic() - this.#at) * this.#rate;
  }

  /** Seconds of the city since an RFC 3339 time; never negative, for clocks differ a little. */
  age(time: string): number {
    return Math.max(0, (this.now() - Date.parse(time)) / 1000);
  }
}
