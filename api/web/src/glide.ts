import type {LonLat} from './contract.ts';

/** A bus on its way from where it was shown to its newest fix. Times are ms of one clock. */
export interface Glide {
  from: LonLat;
  to: LonLat;
  start: number;
  span: number; // 0 = it is there
}

/** Beyond this many metres a bus jumps: gliding would draw a journey that nobody made. */
export const jumpBeyond = 1000;

/** The shortest and the longest a glide lasts, in ms. The cap keeps a slow reporter's shown place
 * from trailing its fix for longer than riders would forgive. */
export const shortestGlide = 300;
export const longestGlide = 15_000;

/** Standing at a place. */
export function stand(at: LonLat): Glide {
  return {from: at, to: at, start: 0, span: 0};
}

/** Where the bus is shown at `now`: on the line to its fix and never beyond it. */
export function shownAt(glide: Glide, now: number): LonLat {
  const part = progress(glide, now);
  if (part >= 1) return glide.to;
  const [lon, lat] = glide.from;
  return [wrap(lon + part * wrap(glide.to[0] - lon)), lat + part * (glide.to[1] - lat)];
}

/** Whether the bus still has way to go at `now`. */
export function moving(glide: Glide, now: number): boolean {
  return progress(glide, now) < 1;
}

/**
 * Sets out for a new fix from where the bus is shown. `interval` is the usual time between its
 * fixes in ms of the page's clock; 0 makes it jump.
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

/** Brings degrees of longitude into [-180, 180), so that the way over the antimeridian is short. */
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
