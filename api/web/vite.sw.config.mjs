import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';

import {defineConfig} from 'vite';

import {compressed} from './vite.compress.mjs';

// The second step of the build: the service worker, which knows the files of the first.

const dist = path.resolve(import.meta.dirname, 'dist');

/** What is fetched only when it is wanted: the map, charts, pictures, and everything of the agency. */
const later = /maplibre|agency|draw-chart|picture|city-map/;

function build() {
  const assets = readdirSync(path.join(dist, 'assets')).filter((name) => /\.(js|css|mjs)$/.test(name)).toSorted().map((name) => `/assets/${name}`);
  const first = [...assets.filter((name) => !later.test(name)), '/icon.svg', '/manifest.json'];
  const page = readFileSync(path.join(dist, 'index.html'));
  const version = createHash('sha256').update(assets.join('\n')).update(page).digest('hex').slice(0, 12);
  return {version, assets, first};
}

const compress = {name: 'compress', closeBundle: () => compressed(dist)};

export default defineConfig({
  define: {NHIP_BUILD: JSON.stringify(build())},
  publicDir: false,
  plugins: [compress],
  build: {
    outDir: 'dist', emptyOutDir: false, target: 'es2022', modulePreload: false,
    rolldownOptions: {input: 'src/sw/main.ts', output: {entryFileNames: 'sw.js', format: 'iife'}},
  },
});
