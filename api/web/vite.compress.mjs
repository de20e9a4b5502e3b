import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {brotliCompressSync, constants, gzipSync} from 'node:zlib';

/** Smaller files gain nothing. Bytes. */
const smallest = 1000;

/** Writes the compressed forms of the built files beside them: the api sends those that a browser takes. */
export function compressed(dist) {
  for (const folder of ['', 'assets']) {
    for (const name of readdirSync(path.join(dist, folder))) {
      if (!/\.(js|mjs|css|svg|json)$/.test(name)) continue;
      const file = path.join(dist, folder, name);
      const text = readFileSync(file);
      if (text.length < smallest) continue;
      writeFileSync(`${file}.gz`, gzipSync(text, {level: 9}));
      writeFileSync(`${file}.br`, brotliCompressSync(text, {params: {[constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length}}));
    }
  }
}
