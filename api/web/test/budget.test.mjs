// What a phone loads, of the built app: kB as gzip makes them. Skipped if the app is not built.

import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {gzipSync} from 'node:zlib';

import {describe, expect, test} from 'vitest';

const dist = path.resolve(import.meta.dirname, '../dist');
const built = existsSync(path.join(dist, '.vite/manifest.json'));
const manifest = built ? JSON.parse(readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8')) : {};

const sizes = new Map();
function size(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(path.join(dist, file)), {level: 9}).length);
  return sizes.get(file);
}

const sum = (files) => [...files].reduce((total, file) => total + size(file), 0) / 1000;

/** The scripts and styles that a chunk needs before it runs. */
function needs(name, seen = new Set()) {
  const chunk = manifest[name];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const sheet of chunk.css ?? []) seen.add(sheet);
  for (const imported of chunk.imports ?? []) needs(imported, seen);
  return seen;
}

const scripts = (files) => [...files].filter((file) => /\.m?js$/.test(file));

describe.skipIf(!built)('the budget of', () => {
  test('all of our own scripts, charts and service worker in, agency out, is 120 kB', () => {
    const own = readdirSync(path.join(dist, 'assets')).filter((name) => /\.m?js$/.test(name) && !/maplibre|agency/.test(name)).map((name) => `assets/${name}`);
    expect(sum([...own, 'sw.js'])).toBeLessThanOrEqual(120);
  });

  test('the first list is 32 kB of scripts, without the map', () => {
    const first = needs('index.html');
    expect(scripts(first).some((file) => /maplibre|city-map|agency|draw-chart/.test(file))).toBe(false);
    expect(sum(scripts(first))).toBeLessThanOrEqual(32);
  });

  test('the page and its styles are 14 kB', () => {
    expect(sum(['index.html', ...(manifest['index.html'].css ?? [])])).toBeLessThanOrEqual(14);
  });

  test('the air is 60 kB before its map, the charts and pictures are not in it', () => {
    const air = needs('src/air/air.tsx', needs('index.html'));
    expect([...air].some((file) => /maplibre|draw-chart|picture/.test(file))).toBe(false);
    expect(sum(air)).toBeLessThanOrEqual(60);
  });

  test('the map is 482 kB, in a chunk that is named after it', () => {
    const map = readdirSync(path.join(dist, 'assets')).filter((name) => /maplibre/.test(name) && /\.(m?js|css)$/.test(name)).map((name) => `assets/${name}`);
    expect(map.length).toBeGreaterThanOrEqual(2);
    expect(sum(map)).toBeLessThanOrEqual(482);
  });

  test('everything that is sent is there in a compressed form, too', () => {
    for (const name of readdirSync(path.join(dist, 'assets')).filter((file) => /\.(m?js|css)$/.test(file))) {
      if (readFileSync(path.join(dist, 'assets', name)).length >= 1000) expect(existsSync(path.join(dist, 'assets', `${name}.br`)), name).toBe(true);
    }
  });
});
