import type {State, StationProperties} from './contract.ts';

// The api sends a state with each change and nothing while no data arrive. Therefore the page computes
// ages itself, with the api's rules, and changes states only from live to
// stale, never back.

/** How many intervals between positions are kept: enough that one outage is not "usual". */
const rememberedGaps = 5;

/** The usual time between the positions of a bus: the median of its last intervals. */
export class FixInterval {
  readonly #gaps: number[] = [];

  /** Adds the seconds between two positions; values that are not positive are ignored. */
  observe(gap: number): void {
    if (!(gap > 0)) return;
    this.#gaps.push(gap);
    if (this.#gaps.length > rememberedGaps) this.#gaps.shift();
  }

  /** Seconds, 0 while unknown. */
  get seconds(): number {
    const sorted = this.#gaps.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  }
}

/** Returns the state of a station at the platform's time `now` (ms): stale after two periods without a reading. */
export function stationState(said: StationProperties, now: number): State {
  if (said.state === 'stale') return 'stale';
  const newest = Date.parse(said.time);
  const silence = (now - newest) / 1000;
  const live = Object.values(said.values).some(
    (v) => Date.parse(v.time) === newest && silence <= 2 * (periodSeconds(v.period) ?? Infinity),
  );
  return live ? 'live' : 'stale';
}

const unitSeconds: Record<string, number> = {d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001};

/** Parses a period ("1h", "5m", "1h30m") to seconds; undefined if it is invalid. */
export function periodSeconds(period: string): number | undefined {
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s))+$/.test(period)) return undefined;
  let sum = 0;
  for (const [, number, unit] of period.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s)/g)) {
    sum += Number(number) * (unitSeconds[unit ?? ''] ?? 0);
  }
  return sum;
}
