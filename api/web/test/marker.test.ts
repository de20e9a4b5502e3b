import {describe, expect, test} from 'vitest';

import {headingOf, lineLabel, type Picture, pictureId, readPictureId} from '../src/map/marker.ts';

describe('the id of an image', () => {
  test.each<Picture>([
    {look: 'sure', line: '32', heading: 3, full: 2},
    {look: 'stale', line: 'A|B %/…', heading: undefined, full: undefined},
    {look: 'likely', line: '', heading: 0, full: 0},
  ])('says all of %j', (picture) => {
    expect(readPictureId(pictureId(picture))).toEqual(picture);
  });

  test.each(['', 'airport', 'nhip-bus', 'nhip-bus|tired|1', 'other|sure|1'])('%j is none of ours', (id) => {
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
