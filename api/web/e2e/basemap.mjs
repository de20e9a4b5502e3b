// A base map in one file, in a real browser with a running api that serves one, at NHIP_URL.

import {start, watch} from './browser.mjs';

const home = new URL(process.env.NHIP_URL).origin;
const patience = Number(process.env.E2E_PATIENCE || 60_000);

const browser = await start();
try {
  const page = await (await browser.newContext({viewport: {width: 640, height: 480}})).newPage();
  const faults = [];
  await watch(page, home, faults);
  const ranges = [];
  page.on('response', (answer) => answer.url().includes('/basemap.pmtiles') && ranges.push(answer.status()));
  await page.goto(home);
  await page.waitForFunction(() => globalThis.nhip?.ready && globalThis.nhip.map.getLayer('nhip-base') && globalThis.nhip.map.isSourceLoaded('nhip-base'), null, {timeout: patience});
  if (!ranges.length || ranges.some((status) => status !== 206)) faults.push(`answers for the file: ${ranges}`);
  const shown = await page.evaluate(() => {
    const {layers} = globalThis.nhip.map.getStyle();
    return layers.findIndex(({id}) => id === 'nhip-base') < layers.findIndex(({id}) => id === 'nhip-routes');
  });
  if (!shown) faults.push('the base map lies above the lines');
  faults.push(...(await page.evaluate(() => globalThis.violations)));
  // This city has no timetable: departures are refused. Any other refusal is told with its address.
  const wrong = faults.filter((fault) => !/^answered 503: .*\/v1\/departures\?|^console error: .*status of 503/.test(fault));
  console.log(wrong.length ? wrong.join('\n') : 'ok');
  process.exitCode = wrong.length ? 1 : 0;
} finally {
  await browser.close();
}
