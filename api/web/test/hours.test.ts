import {expect, test} from 'vitest';

import {hourBefore} from '../src/hours.ts';

test('the slider has full hours, beginning with the last one that has ended', () => {
  const now = Date.parse('2026-02-16T05:42:13Z');
  expect(hourBefore(now, 0)).toBeUndefined();
  expect(hourBefore(now, 1)).toBe('2026-02-16T05:00:00.000Z');
  expect(hourBefore(now, 24)).toBe('2026-02-15T06:00:00.000Z');
});
