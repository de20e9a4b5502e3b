import {describe, expect, test} from 'vitest';

import {quantities, type Value} from '../src/contract.ts';
import {colors, ranges, showable, stepOf} from '../src/scale.ts';
import {dark, light, type Theme} from '../src/theme.ts';

/** WCAG's relative luminance of #rrggbb. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe('PM2.5 steps', () => {
  test.each([
    [-3, 0], [0, 0], [25, 0], [25.1, 1], [50, 1], [50.1, 2], [80, 2], [81, 3], [150, 3], [151, 4], [250, 4], [250.1, 5], [4000, 5],
  ])('%d µg/m³ is step %d', (value, step) => expect(stepOf('pm25', value)).toBe(step));
});

test.each(quantities)('the ranges of %s are whole, rise and agree with the steps', (quantity) => {
  const all = ranges(quantity);
  expect(all).toHaveLength(colors.length);
  expect(all[0]?.from).toBe(0);
  expect(all.at(-1)?.to).toBeUndefined();
  for (const [i, range] of all.entries()) {
    if (range.to === undefined) continue;
    expect(range.to).toBeGreaterThan(range.from);
    expect(all[i + 1]?.from).toBe(range.to);
    expect(stepOf(quantity, range.to)).toBe(i);
    expect(stepOf(quantity, range.to + 0.1)).toBe(i + 1);
  }
});

test.each(colors)('text on $fill can be read', ({fill, ink}) => {
  expect(contrast(fill, ink)).toBeGreaterThanOrEqual(4.5);
});

describe.each([['light', light], ['dark', dark]] as [string, Theme][])('the %s map', (_, theme) => {
  test('has readable numbers', () => {
    expect(contrast(theme.bus, theme.busInk)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme.staleFill, theme.staleInk)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme.label, theme.land)).toBeGreaterThanOrEqual(4.5);
  });

  test('has symbols that stand out from the base map', () => {
    for (const symbol of [theme.bus, theme.rim, theme.staleInk, theme.place]) {
      expect(contrast(symbol, theme.land)).toBeGreaterThanOrEqual(3);
    }
  });
});

test('values that failed a check are not shown', () => {
  const value = (flag: Value['flag']): Value => ({value: 1, unit: '', time: '', period: '1h', state: 'live', flag});
  expect([1, 2, 3, 4, 9].map((flag) => showable(value(flag as Value['flag'])))).toEqual([true, true, true, false, false]);
  expect(showable(undefined)).toBe(false);
});
