import {defineConfig} from 'vitest/config';

/** The library of the map, with what it needs: nothing of it is loaded before the first list is painted. */
const mapLibrary = /node_modules\/(maplibre-gl|@maplibre|pmtiles|fflate|earcut|kdbush|potpack|quickselect|tinyqueue|geojson-vt|gl-matrix|murmurhash-js|@mapbox)\//;

/** What every view needs: one chunk, so that the first list waits for two files only. */
const frame = /node_modules\/preact\/|src\/(app|core)\/|src\/rider\/(words|say|eta|row|alerts|air-brief)\.tsx?$/;

// The Go api embeds dist and serves it at /, beside /v1 and /tiles.
export default defineConfig({
  base: '/',
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
  build: {
    outDir: 'dist',
    emptyOutDir: true, // dist/.gitkeep survives: it is copied back from public/
    target: 'es2022',
    assetsInlineLimit: 0, // the worker must stay a file: the page's policy allows no blob or data scripts
    chunkSizeWarningLimit: 1300, // kB; maplibre-gl alone is 1,110
    manifest: true, // the api preloads the chunks of the page that is asked for
    modulePreload: {polyfill: false},
    rolldownOptions: {output: {codeSplitting: {groups: [{name: 'maplibre', test: mapLibrary}, {name: 'app', test: frame}]}}},
  },
  test: {include: ['test/**/*.test.{ts,mjs}']},
});
