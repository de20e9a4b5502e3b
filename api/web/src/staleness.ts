import type {BusProperties, State, StationProperties} from './contract.ts';

// The api says a state when it sends a thing and is silent when nothing arrives. So the page grows
// the ages itself, by the api's own rules, and only ever from live to
// stale: never the other way.

/** How many gaps between fixes are remembered: enough that one outage is not "usual". */
const rememberedGaps = 5;

/** The usual time between the fixes of one bus: the median of its last gaps. */
export class FixInterval {
  readonly #gaps: number[] = [];

  /** Takes the seconds between two fixes; what is not later than before teaches nothing. */
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

/** The state of a bus whose fix is `age` seconds old. */
export function busState(said: BusProperties, age: number): State {
  return said.state === 'stale' || age > said.stale_after_s ? 'stale' : 'live';
}

/** The state of a station at the city's time `now` (ms): stale after two periods of silence. */
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

/** Reads a period ("1h", "5m", "1h30m") as seconds; undefined when it is none. */
export function periodSeconds(period: string): number | undefined {
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s))+$/.test(period)) return undefined;
  let sum = 0;
  for (const [, number, unit] of period.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s)/g)) {
    sum += Number(number) * (unitSeconds[unit ?? ''] ?? 0);
  }
  return sum;
}
