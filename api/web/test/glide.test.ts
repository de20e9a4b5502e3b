import {describe, expect, test} from 'vitest';

import type {LonLat} from '../src/core/contract.ts';
import {glideTo, jumpBeyond, longestGlide, metres, moving, pathAlong, shortestGlide, shownAt, stand} from '../src/map/glide.ts';

const hoanKiem: LonLat = [105.8523, 21.0288];
const east: LonLat = [105.8553, 21.0288]; // 311 m
const far: LonLat = [105.8723, 21.0288]; // 2.1 km

describe('a glide', () => {
  test('begins where the bus is shown and ends at the position', () => {
    const glide = glideTo(stand(hoanKiem), east, 1000, 10_000);
    expect(shownAt(glide, 1000)).toEqual(hoanKiem);
    expect(shownAt(glide, 11_000)).toEqual(east);
    expect(moving(glide, 10_999)).toBe(true);
    expect(moving(glide, 11_000)).toBe(false);
  });

  test('is half way after half of the time', () => {
    const [lon, lat] = shownAt(glideTo(stand(hoanKiem), east, 0, 10_000), 5000);
    expect(lon).toBeCloseTo(105.8538, 9);
    expect(lat).toBeCloseTo(21.0288, 9);
  });

  test('never leaves the line between the two', () => {
    const glide = glideTo(stand(hoanKiem), east, 0, 4000);
    for (let now = -1000; now < 10_000; now += 37) {
      const [lon] = shownAt(glide, now);
      expect(lon).toBeGreaterThanOrEqual(hoanKiem[0]);
      expect(lon).toBeLessThanOrEqual(east[0]);
    }
  });

  test('restarts from the shown place when a position arrives early', () => {
    const first = glideTo(stand(hoanKiem), east, 0, 10_000);
    const second = glideTo(first, hoanKiem, 4000, 10_000);
    expect(shownAt(second, 4000)).toEqual(shownAt(first, 4000));
    expect(shownAt(second, 14_000)).toEqual(hoanKiem);
  });

  test('jumps beyond half a kilometre', () => {
    expect(metres(hoanKiem, far)).toBeGreaterThan(jumpBeyond);
    const glide = glideTo(stand(hoanKiem), far, 0, 10_000);
    expect(shownAt(glide, 0)).toEqual(far);
    expect(moving(glide, 0)).toBe(false);
  });

  test('jumps when the interval is 0', () => {
    expect(shownAt(glideTo(stand(hoanKiem), east, 0, 0), 0)).toEqual(east);
  });

  test.each([
    [1, shortestGlide],
    [8000, 8000],
    [600_000, longestGlide],
  ])('over an interval of %d ms lasts %d ms', (interval, span) => {
    expect(glideTo(stand(hoanKiem), east, 0, interval).span).toBe(span);
  });

  const corner: LonLat[] = [[105.852, 21.0288], [105.854, 21.0288], [105.854, 21.031]];

  test('follows a way around its corner, and not beyond the position', () => {
    const glide = glideTo(stand(hoanKiem), [105.854, 21.03], 0, 10_000, corner);
    const half = shownAt(glide, 5000);
    expect(half[1]).toBeCloseTo(21.0288, 6);
    expect(shownAt(glide, 10_000)).toEqual([105.854, 21.03]);
  });

  test('goes straight if the way is elsewhere or backwards', () => {
    expect(pathAlong(corner, hoanKiem, [105.9, 21])).toBeUndefined();
    expect(pathAlong(corner, [105.8535, 21.0288], [105.8525, 21.0288])).toBeUndefined();
    expect(glideTo(stand([105.8535, 21.0288]), [105.8525, 21.0288], 0, 5000, corner).path).toHaveLength(2);
  });

  test('takes the short path over the antimeridian', () => {
    const glide = glideTo(stand([179.999, 0]), [-179.999, 0], 0, 1000);
    const [lon] = shownAt(glide, 500);
    expect(Math.abs(lon)).toBeCloseTo(180, 6);
  });
});

describe('metres', () => {
  test.each<[LonLat, LonLat, number]>([
    [hoanKiem, hoanKiem, 0],
    [[0, 0], [0, 1], 111_195],
    [[0, 60], [1, 60], 55_597],
    [[0, 0], [180, 0], 20_015_115],
  ])('from %j to %j are %d', (a, b, expected) => {
    expect(metres(a, b)).toBeCloseTo(expected, -1);
  });
});
