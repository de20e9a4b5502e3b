import type {LonLat} from '../core/contract.ts';

/** A line on the ground along which buses drive. */
export type Way = readonly LonLat[];

/** The movement of a bus on the map to its newest position. Times are ms of one clock. */
export interface Glide {
  /** Where it goes along, from where it was shown to the position; at least one point. */
  path: Way;
  start: number;
  span: number; // 0 = it has arrived
}

/** Beyond this many metres a bus jumps: gliding would show a trip that did not happen. */
export const jumpBeyond = 500;

/** The shortest and longest duration of a glide, in ms. The maximum keeps the shown place of a bus that
 * reports rarely from lagging too far behind its position. */
export const shortestGlide = 300;
export const longestGlide = 10_000;

/** How far from its way a bus may be to glide along it, metres. */
const besideWay = 45;

/** Returns a glide that stands at a place. */
export function stand(at: LonLat): Glide {
  return {path: [at], start: 0, span: 0};
}

/** Returns the place at `now`: on the path to the position and never beyond it. */
export function shownAt({path, start, span}: Glide, now: number): LonLat {
  const end = path.at(-1) as LonLat;
  const part = progress({path, start, span}, now);
  if (part >= 1) return end;
  let left = part * lengthOf(path);
  for (let i = 1; i < path.length; i++) {
    const [a, b] = [path[i - 1] as LonLat, path[i] as LonLat];
    const step = metres(a, b);
    if (left <= step) return between(a, b, step === 0 ? 0 : left / step);
    left -= step;
  }
  return end;
}

/** Reports whether the bus is still moving at `now`. */
export function moving(glide: Glide, now: number): boolean {
  return progress(glide, now) < 1;
}

/**
 * Starts a glide from the shown place to a new position, along its way if both are on it. `interval` is the usual time
 * between the bus's positions in ms of the page's clock; 0 makes it jump.
 */
export function glideTo(glide: Glide, fix: LonLat, now: number, interval: number, way?: Way): Glide {
  const from = shownAt(glide, now);
  const straight = metres(from, fix);
  if (interval <= 0 || straight > jumpBeyond) return stand(fix);
  const along = way && pathAlong(way, from, fix);
  const path = along && lengthOf(along) <= Math.max(2 * straight, straight + 100) ? along : [from, fix];
  return {path, start: now, span: Math.min(Math.max(interval, shortestGlide), longestGlide)};
}

/** The part of a way between two places near it, with both at its ends; undefined if one is not near or it goes back. */
export function pathAlong(way: Way, from: LonLat, to: LonLat): LonLat[] | undefined {
  const begin = nearest(way, from, 0);
  if (!begin) return undefined;
  const end = nearest(way, to, begin.segment);
  if (!end || (end.segment === begin.segment && end.part < begin.part)) return undefined;
  return [from, ...way.slice(begin.segment + 1, end.segment + 1), to];
}

/** The nearest point of a way from a segment on, within `besideWay`. */
function nearest(way: Way, at: LonLat, since: number): {segment: number; part: number} | undefined {
  let best: {segment: number; part: number} | undefined;
  let least = besideWay;
  const east = Math.cos((at[1] * Math.PI) / 180);
  for (let i = since; i + 1 < way.length; i++) {
    const [a, b] = [way[i] as LonLat, way[i + 1] as LonLat];
    const [ax, ay] = [(a[0] - at[0]) * east, a[1] - at[1]];
    const [dx, dy] = [(b[0] - a[0]) * east, b[1] - a[1]];
    const size = dx * dx + dy * dy;
    const part = size === 0 ? 0 : Math.max(0, Math.min(1, -(ax * dx + ay * dy) / size));
    const far = Math.hypot(ax + part * dx, ay + part * dy) * 111_195;
    if (far < least) [best, least] = [{segment: i, part}, far];
  }
  return best;
}

function lengthOf(path: Way): number {
  let sum = 0;
  for (let i = 1; i < path.length; i++) sum += metres(path[i - 1] as LonLat, path[i] as LonLat);
  return sum;
}

function progress({span, start}: Glide, now: number): number {
  if (span <= 0) return 1;
  return Math.max(0, Math.min(1, (now - start) / span));
}

function between(a: LonLat, b: LonLat, part: number): LonLat {
  return [wrap(a[0] + part * wrap(b[0] - a[0])), a[1] + part * (b[1] - a[1])];
}

/** Maps degrees of longitude to [-180, 180), so that the path over the antimeridian is short. */
function wrap(degrees: number): number {
  return degrees >= -180 && degrees < 180 ? degrees : ((((degrees + 180) % 360) + 360) % 360) - 180;
}

/** Great-circle metres on the sphere of the Earth's mean radius, 6,371,008.8 m (IUGG). */
export function metres(a: LonLat, b: LonLat): number {
  const rad = Math.PI / 180;
  const dLat = ((b[1] - a[1]) * rad) / 2;
  const dLon = ((b[0] - a[0]) * rad) / 2;
  const h = Math.sin(dLat) ** 2 + Math.cos(a[1] * rad) * Math.cos(b[1] * rad) * Math.sin(dLon) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(h)));
}
