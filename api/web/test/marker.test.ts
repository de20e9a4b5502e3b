import {describe, expect, test} from 'vitest';

import {lineLabel, type Picture, pictureId, readPictureId} from '../src/marker.ts';

describe('the id of an image', () => {
  test.each<Picture>([
    {kind: 'bus', state: 'live', line: '32'},
    {kind: 'bus', state: 'stale', line: 'A|B %/…'},
    {kind: 'bus', state: 'live', line: ''},
    {kind: 'arrow', state: 'stale'},
    {kind: 'station', state: 'live', step: 0, text: '7'},
    {kind: 'station', state: 'live', step: 5, text: '1,2k?'},
    {kind: 'station', state: 'stale', step: undefined, text: '–'},
  ])('says all of $kind', (picture) => {
    expect(readPictureId(pictureId(picture))).toEqual(picture);
  });

  test.each(['', 'airport', 'nhip', 'nhip|tram|live|1', 'nhip|bus|tired|1', 'other|bus|live|1'])('%j is none of ours', (id) => {
    expect(readPictureId(id)).toBeUndefined();
  });
});

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
