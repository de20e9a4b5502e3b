import {defineConfig} from 'vitest/config';

// The Go api embeds dist and serves it at /, beside /v1 and /tiles.
export default defineConfig({
  base: '/',
  build: {
    outDir: 'dist',
    emptyOutDir: true, // dist/.gitkeep survives: it is copied back from public/
    target: 'es2022',
    assetsInlineLimit: 0, // the worker must stay a file: the page's policy allows no blob or data scripts
    chunkSizeWarningLimit: 1300, // kB; maplibre-gl alone is 1,110
  },
  test: {include: ['test/**/*.test.{ts,mjs}']},
});
