// Running the steps of a browser test on one page, and what several tests check.

import {mkdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';

import {start, watch} from './browser.mjs';

/** The running api, and where screenshots go. */
export const home = new URL(process.env.NHIP_URL ?? fail('NHIP_URL must be the URL of the api, as in http://127.0.0.1:8080')).origin;
export const output = process.env.TEST_OUTPUT || path.resolve(import.meta.dirname, '../../../test-output');

/** The full form, which make suites runs. */
export const full = process.env.SUITES === 'full';

/** Timeout of a step in ms: software WebGL on a busy machine needs tens of seconds. */
export const patience = Number(process.env.E2E_PATIENCE || 60_000);

export const phone = {viewport: {width: 360, height: 740}, deviceScaleFactor: 2, isMobile: true, hasTouch: true};
export const small = {...phone, viewport: {width: 360, height: 640}};
export const desk = {viewport: {width: 1280, height: 800}};

function fail(message) {
  console.error(message);
  process.exit(1);
}

export function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** Waits for something that is asked of the api, not of a page. */
export async function until(what, holds, ms = patience) {
  const end = Date.now() + ms;
  while (!(await holds())) {
    check(Date.now() < end, `${what} did not come in ${ms / 1000} s`);
    await new Promise((done) => setTimeout(done, 250));
  }
}

/** What the api answers. */
export const get = async (address) => (await fetch(home + address)).json();

/**
 * Runs lists of steps, each on a page of its own: [name of the page, options of its context, [[what, step], …]]. A step gets
 * the page, its faults, and the browser. `origin` is where the page asks; `after` runs after each step.
 */
export async function runAll(lists, {origin = home, after = () => undefined} = {}) {
  await mkdir(output, {recursive: true});
  const browser = await start();
  let failed = 0;
  try {
    for (const [name, options, steps] of lists) failed += await run(browser, name, options, steps, origin, after);
  } finally {
    await browser.close();
  }
  console.log(failed ? `${failed} failed` : 'all passed');
  process.exitCode = failed ? 1 : 0;
}

/** Runs steps in their order on one page; a failure is reported and the others still run. Returns how many failed. */
async function run(browser, name, options, steps, origin, after) {
  const context = await browser.newContext({locale: 'vi-VN', ...options});
  context.setDefaultTimeout(patience); // of clicks, too
  const page = await context.newPage();
  const faults = [];
  await watch(page, origin, faults);
  let failed = 0;
  for (const [what, step] of steps) {
    const began = performance.now();
    const error = await step(page, faults, browser).then(() => undefined, (caught) => caught);
    await after(context);
    const wrong = [...(error ? [error.message] : []), ...faults.splice(0)];
    console.log(`${wrong.length ? 'FAIL' : 'ok  '} ${name}: ${what} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    for (const line of wrong) console.log(`     ${line}`);
    if (wrong.length === 0) continue;
    failed++;
    await page.screenshot({path: path.join(output, `failed-${name}-${failed}.png`)}).catch(() => undefined);
  }
  await context.close();
  return failed;
}

/** Nothing is wider than the screen. */
export async function fits(page) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(wide <= screen, `the page is ${wide} px wide on a screen of ${screen}`);
  const cut = await page.evaluate(() => [...document.querySelectorAll('#view *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.chips, .unseen')).map((e) => e.className || e.tagName));
  check(cut.length === 0, `beyond the edge: ${cut.slice(0, 3).join(', ')}`);
}

/** The content security policy was kept. */
export async function policy(page) {
  const broken = await page.evaluate(() => globalThis.violations);
  check(broken.length === 0, `broken: ${broken.join('; ')}`);
}

/** Runs axe-core. It is a script of the test and bypasses the page's policy. */
export async function accessible(page) {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const grave = await page.evaluate(async () => {
    const {violations} = await globalThis.axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']});
    return violations.map(({id, impact, nodes}) => `${id} (${impact}): ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  });
  check(grave.length === 0, grave.join('; '));
}

/** Everything that is tapped is large enough: 48 px below the map. */
export async function large(page) {
  const less = await page.evaluate(() => [...document.querySelectorAll('#view a, #view button, #tabs a')].flatMap((e) => {
    const {width, height} = e.getBoundingClientRect();
    return width > 0 && (height < 47.5 || width < 47.5) ? [`${e.textContent.slice(0, 20) || e.getAttribute('aria-label')}: ${width.toFixed(0)}×${height.toFixed(0)}`] : [];
  }));
  check(less.length === 0, `too small: ${less.join('; ')}`);
}

/** Takes a picture of the page. */
export function picture(name) {
  return (page) => page.screenshot({path: path.join(output, `${name}.png`)});
}

/** Waits until the map has its scene and shows a bus; late at night a strip may need a smaller zoom for that. */
export async function mapFills(page) {
  await page.waitForFunction(() => globalThis.nhip?.ready && globalThis.nhip.map.areTilesLoaded(), null, {timeout: patience});
  await page.evaluate(() => globalThis.nhip.map.setZoom(Math.min(globalThis.nhip.map.getZoom(), 13)));
  await page.waitForFunction(() => globalThis.nhip.buses().length > 0, null, {timeout: patience});
  await page.waitForFunction(() => globalThis.nhip.map.queryRenderedFeatures({layers: ['nhip-bus', 'nhip-bus-few', 'nhip-bus-dot'].filter((id) => globalThis.nhip.map.getLayer(id))}).length > 0, null, {timeout: patience});
}
