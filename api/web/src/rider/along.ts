import type {LonLat} from '../core/contract.ts';
import {metres} from '../map/glide.ts';

/** How far along a way each of its stops is, metres: the nearest point of the way that is not before the last stop. */
export function stopsAlong(way: readonly LonLat[], stops: readonly LonLat[]): number[] {
  const starts: number[] = [0];
  for (let i = 1; i < way.length; i++) starts.push((starts[i - 1] ?? 0) + metres(way[i - 1] as LonLat, way[i] as LonLat));
  let since = 0;
  return stops.map((stop) => {
    let [best, least] = [starts[since] ?? 0, Infinity];
    let at = since;
    for (let i = since; i + 1 < way.length; i++) {
      const {part, far} = nearest(way[i] as LonLat, way[i + 1] as LonLat, stop);
      if (far < least - 1) [best, least, at] = [(starts[i] ?? 0) + part * ((starts[i + 1] ?? 0) - (starts[i] ?? 0)), far, i];
      if (least < 60 && far > 400) break; // the way has left the stop: a later passing is another call
    }
    since = at;
    return best;
  });
}

function nearest(a: LonLat, b: LonLat, at: LonLat): {part: number; far: number} {
  const east = Math.cos((at[1] * Math.PI) / 180);
  const [dx, dy] = [(b[0] - a[0]) * east, b[1] - a[1]];
  const [ax, ay] = [(a[0] - at[0]) * east, a[1] - at[1]];
  const size = dx * dx + dy * dy;
  const part = size === 0 ? 0 : Math.max(0, Math.min(1, -(ax * dx + ay * dy) / size));
  return {part, far: Math.hypot(ax + part * dx, ay + part * dy) * 111_195};
}

/** A bus on the way to a stop. */
interface Placed {
  next_stop?: string | undefined;
  along_m: number;
}

/**
 * Puts buses between stops: the result has, for each stop, the buses that have passed the stop before it but not it, in
 * the order in which they come; one that says its next stop is put before that one.
 */
export function busesBefore<B extends Placed>(ids: readonly string[], alongs: readonly number[], buses: readonly B[]): B[][] {
  const before: B[][] = ids.map(() => []);
  for (const bus of buses.toSorted((a, b) => a.along_m - b.along_m)) {
    let at = bus.next_stop === undefined ? -1 : ids.findIndex((id, i) => id === bus.next_stop && (alongs[i] ?? 0) >= bus.along_m - 300);
    if (at < 0) at = alongs.findIndex((along) => along >= bus.along_m);
    before[at < 0 ? ids.length - 1 : at]?.push(bus);
  }
  return before;
}

/** The value of the step at or before a distance along the way. */
export function stepAt<S extends {along_m: number}>(steps: readonly S[], along: number): S | undefined {
  return steps.findLast((step) => step.along_m <= along + 1) ?? steps[0];
}
