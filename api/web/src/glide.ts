import type {LonLat} from './contract.ts';

/** The movement of a bus on the map to its newest position. Times are ms of one clock. */
export interface Glide {
  from: LonLat;
  to: LonLat;
  start: number;
  span: number; // 0 = it has arrived
}

/** Beyond this many metres a bus jumps: gliding would show a trip that did not happen. */
export const jumpBeyond = 1000;

/** The shortest and longest duration of a glide, in ms. The maximum keeps the shown place of a bus that
 * reports rarely from lagging too far behind its position. */
export const shortestGlide = 300;
export const longestGlide = 15_000;

/** Returns a glide that stands at a place. */
export function stand(at: LonLat): Glide {
  return {from: at, to: at, start: 0, span: 0};
}

/** Returns the place at `now`: on the line to the position and never beyond it. */
export function shownAt(glide: Glide, now: number): LonLat {
  const part = progress(glide, now);
  if (part >= 1) return glide.to;
  const [lon, lat] = glide.from;
  return [wrap(lon + part * wrap(glide.to[0] - lon)), lat + part * (glide.to[1] - lat)];
}

/** Reports whether the bus is still moving at `now`. */
export function moving(glide: Glide, now: number): boolean {
  return progress(glide, now) < 1;
}

/**
 * Starts a glide from the shown place to a new position. `interval` is the usual time between the bus's
 * positions in ms of the page's clock; 0 makes it jump.
 */
export function glideTo(glide: Glide, fix: LonLat, now: number, interval: number): Glide {
  const from = shownAt(glide, now);
  if (interval <= 0 || metres(from, fix) > jumpBeyond) return stand(fix);
  return {from, to: fix, start: now, span: Math.min(Math.max(interval, shortestGlide), longestGlide)};
}

function progress(glide: Glide, now: number): number {
  if (glide.span <= 0) return 1;
  return Math.max(0, Math.min(1, (now - glide.start) / glide.span));
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
