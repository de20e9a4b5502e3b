import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';

import {VectorTile} from '@mapbox/vector-tile';
import Pbf from 'pbf';
import {describe, expect, test} from 'vitest';

// The browser test checks our tiles with this decoder, so the decoder itself is checked with the fixtures of the
// standard's authors.

const folder = path.join(process.env.TESTDATA_DIR ?? '', 'mvt-fixtures', 'fixtures');
const there = process.env.TESTDATA_DIR !== undefined && existsSync(folder);

/** Returns the number of points in the features of a tile, by layer; throws if the tile can't be read. */
function read(raw) {
  const out = {};
  for (const [name, layer] of Object.entries(new VectorTile(new Pbf(raw)).layers)) {
    out[name] = 0;
    for (let i = 0; i < layer.length; i++) out[name] += layer.feature(i).loadGeometry().flat().length;
  }
  return out;
}

/** Formally valid, but too large for any decoder. */
const unreadable = new Set(['057']); // a MoveTo of a thousand million points

describe.skipIf(!there)('the cases of mvt-fixtures', () => {
  for (const name of there ? readdirSync(folder).toSorted() : []) {
    const at = path.join(folder, name);
    const info = JSON.parse(readFileSync(path.join(at, 'info.json'), 'utf8'));
    const raw = new Uint8Array(readFileSync(path.join(at, 'tile.mvt')));
    if (info.validity.v2 && !unreadable.has(name)) {
      test(`${name} is read`, () => {
        const layers = JSON.parse(readFileSync(path.join(at, 'tile.json'), 'utf8')).layers ?? [];
        const drawn = layers.filter(({features}) => (features ?? []).length > 0).map((layer) => layer.name);
        expect(Object.keys(read(raw)).toSorted()).toEqual([...new Set(drawn)].toSorted());
      });
    }
  }

  test('there are as many as there should be', () => {
    expect(readdirSync(folder).length).toBeGreaterThan(50);
  });
});
