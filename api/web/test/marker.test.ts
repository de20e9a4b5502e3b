import {describe, expect, test} from 'vitest';

import {headingOf, lineLabel, type Picture, pictureId, readPictureId} from '../src/map/marker.ts';

describe('the id of an image', () => {
  test.each<Picture>([
    {kind: 'bus', look: 'sure', line: '32', heading: 3},
    {kind: 'bus', look: 'stale', line: 'A|B %/…', heading: undefined},
    {kind: 'bus', look: 'likely', line: '', heading: 0},
    {kind: 'crowd', full: 2},
  ])('says all of $kind', (picture) => {
    expect(readPictureId(pictureId(picture))).toEqual(picture);
  });

  test.each(['', 'airport', 'nhip', 'nhip|tram|sure|1', 'nhip|bus|tired|1', 'other|bus|sure|1'])('%j is none of ours', (id) => {
    expect(readPictureId(id)).toBeUndefined();
  });
});

test.each([
  [null, undefined],
  [0, 0],
  [359, 0],
  [90, 4],
  [-90, 12],
])('the bearing %j is drawn in direction %j', (bearing, heading) => expect(headingOf(bearing)).toBe(heading));

test.each([
  ['32', '32'],
  [' 08B ', '08B'],
  ['BRT01', 'BRT01'],
  ['Express 7', 'Expr…'],
  ['', '•'],
  [undefined, '•'],
])('the line %j is written %j', (line, label) => {
  expect(lineLabel(line)).toBe(label);
});
