import {expect, test} from 'vitest';

import {type TileError, TileRetries} from '../src/map/tile-retries.ts';

const tile = (x: number) => ({tileID: {canonical: {x, y: 2, z: 14}}});

function retries() {
  const asked: string[] = [];
  const waits: number[] = [];
  const map = {refreshTiles: (source: string, tiles: {x: number}[]) => void asked.push(`${source} ${tiles.map((t) => t.x).join()}`)};
  const own = new TileRetries(map, (run, ms) => {
    waits.push(ms);
    run();
  });
  return {asked, waits, take: (event: TileError) => own.take(event)};
}

test('a refused tile is asked for again, later and later, and not for ever', () => {
  const {asked, waits, take} = retries();
  for (let i = 0; i < 6; i++) expect(take({error: {status: 503}, sourceId: 'air', tile: tile(1)})).toBe(true);
  expect(take({error: {status: 503}, sourceId: 'air', tile: tile(1)})).toBe(false);
  expect(asked).toEqual(Array(6).fill('air 1'));
  expect((waits[0] ?? 0) >= 1500 && (waits[0] ?? 0) <= 2500).toBe(true);
  expect((waits[5] ?? 0) >= 22_500 && (waits[5] ?? 0) <= 37_500).toBe(true);
  expect(take({error: {status: 503}, sourceId: 'air', tile: tile(2)})).toBe(true);
});

test('other errors are not its matter', () => {
  const {asked, take} = retries();
  for (const event of [{error: {status: 404}, sourceId: 'air', tile: tile(1)}, {error: {status: 503}}, {}]) expect(take(event)).toBe(false);
  expect(asked).toEqual([]);
});
