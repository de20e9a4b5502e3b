// The map in a real browser with a running api.
//
//   NHIP_URL      URL of the api (required)
//   TEST_OUTPUT   folder for screenshots; default: ../../test-output
//   CHROMIUM      the browser; default: /usr/bin/chromium

import {mkdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';

import {validateStyleMin} from '@maplibre/maplibre-gl-style-spec';
import {VectorTile} from '@mapbox/vector-tile';
import Pbf from 'pbf';

import {start, watch} from './browser.mjs';

const home = new URL(process.env.NHIP_URL ?? fail('NHIP_URL must be the URL of the map, as in http://127.0.0.1:8080')).origin;
const output = process.env.TEST_OUTPUT || path.resolve(import.meta.dirname, '../../../test-output');
const hoanKiem = {latitude: 21.0285, longitude: 105.8542};

/** Timeout of a step in ms: software WebGL on a busy machine needs tens of seconds. */
const patience = Number(process.env.E2E_PATIENCE || 120_000);

/** The minimum share of buses that must have moved, and by how many degrees (about 5 m). */
const movers = 0.2;
const aMove = 0.00005;

function fail(message) {
  console.error(message);
  process.exit(1);
}

const steps = [
  ['the map fills with buses', fills],
  ['buses move', move],
  ['a picture of the desk', (page) => page.screenshot({path: path.join(output, 'map.png')})],
  ['buses jump for those who want less motion', calm],
  ['a station from the list draws its day', stationChart],
  ['a tap on a bus tells of it', tapBus],
  ['buses near me are found and one is visited', near],
  ['a place tapped on the map is searched', nearTapped],
  ['the legend follows its quantity', legend],
  ['the air lies between the monitors', field],
  ['the slider goes back in time', hours],
  ['another hand reads our tiles', tiles],
  ['the style that others may take is a valid one', othersStyle],
  ['the language changes and is remembered', language],
  ['people with helping devices can use it', accessible],
  ['the policy was kept', policy],
];

const phoneSteps = [
  ['the map fills with buses on a phone', fills],
  ['nothing is wider than the phone', fits],
  ['a picture of the phone', (page) => page.screenshot({path: path.join(output, 'map-mobile.png')})],
  ['a station opens on the phone', stationChart],
  ['people with helping devices can use the phone’s page', accessible],
  ['the policy was kept on the phone', policy],
];

async function fills(page) {
  await page.goto(home);
  await page.waitForFunction(() => globalThis.nhip?.ready && globalThis.nhip.buses().length > 0, null, {timeout: patience});
  await page.waitForFunction(() => globalThis.nhip.map.queryRenderedFeatures({layers: ['nhip-bus', 'nhip-bus-dot']}).length > 0, null, {timeout: patience});
  await page.locator('.status.live time').waitFor({timeout: patience});
}

async function move(page) {
  const before = await page.evaluate(() => globalThis.nhip.buses());
  await page.waitForFunction(([old, share, far]) => {
    const now = new Map(globalThis.nhip.buses().map((bus) => [bus.id, bus]));
    const moved = old.filter(({id, lon, lat}) => {
      const bus = now.get(id);
      return bus && Math.abs(bus.lon - lon) + Math.abs(bus.lat - lat) > far;
    });
    return moved.length >= Math.max(1, share * old.length);
  }, [before, movers, aMove], {timeout: patience, polling: 250});
}

/** Wants less motion from here on, which also spares the software WebGL of the steps that follow. */
async function calm(page) {
  await page.emulateMedia({reducedMotion: 'reduce'});
  await move(page);
}

async function stationChart(page) {
  await page.click('#open-stations');
  await page.locator('#panel .list .row').first().click({timeout: patience});
  await page.locator('figure.day[data-state=drawn] canvas').waitFor({timeout: patience});
  const marks = await page.locator('figure.day canvas').evaluate((canvas) => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
  check(marks > 1000, `the chart has ${marks} drawn pixels`);
  check((await page.locator('figure.day [role=img]').getAttribute('aria-label'))?.includes('24'), 'the chart has no label for screen readers');
  check((await page.locator('figure.day tbody tr').count()) > 0, 'the chart has no table');
  await page.keyboard.press('Escape');
  await page.locator('#panel .list').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#panel').waitFor({state: 'hidden'});
  check(await page.evaluate(() => document.activeElement?.id === 'open-stations'), 'the focus did not return to the button that opened the panel');
}

/** Taps buses in the free part of the map until one is selected: a bus may glide away from under the tap. */
async function tapBus(page) {
  const until = Date.now() + patience;
  for (;;) {
    const spot = await page.evaluate(() => {
      const {map} = globalThis.nhip;
      const spots = map.queryRenderedFeatures({layers: ['nhip-bus', 'nhip-bus-dot']}).map((f) => map.project(f.geometry.coordinates));
      const free = spots.filter(({x, y}) => document.elementFromPoint(x, y) === map.getCanvas());
      const at = free[Math.floor(Math.random() * free.length)]; // another one each time: one may lie under others
      return at && {x: at.x, y: at.y};
    });
    if (spot) {
      await page.mouse.click(spot.x, spot.y);
      const opened = await page.locator('#panel .facts, #panel .values').first().waitFor({timeout: 5000}).then(() => true, () => false);
      if (opened) break;
    }
    check(Date.now() < until, 'no bus could be tapped');
  }
  check((await page.locator('#panel-title').textContent())?.trim(), 'the panel has no title');
  await page.click('#panel-close');
}

async function near(page) {
  await page.click('#open-near');
  await page.click('#near-here');
  const rows = page.locator('#panel ol.list .row');
  await rows.first().waitFor({timeout: patience});
  const count = await rows.count();
  check(count > 0 && count <= 10, `${count} buses are listed`);
  const first = await rows.first().textContent();
  check(/\d\s?k?m/.test(first ?? ''), `no distance in ${JSON.stringify(first)}`);
  const before = await page.evaluate(() => globalThis.nhip.map.getCenter().toArray());
  await rows.first().click();
  await page.locator('#panel .facts').waitFor({timeout: patience});
  await page.waitForFunction(([lon, lat]) => {
    const {map} = globalThis.nhip;
    return !map.isMoving() && map.getZoom() >= 14.9 && (map.getCenter().lng !== lon || map.getCenter().lat !== lat);
  }, before, {timeout: patience});
  await page.click('#panel-close');
}

async function nearTapped(page) {
  await page.click('#open-near');
  await page.click('#near-pick');
  const box = await page.locator('.maplibregl-canvas').boundingBox();
  await page.mouse.click(box.x + box.width * 0.6, box.y + box.height * 0.4);
  await page.locator('#panel ol.list .row').first().waitFor({timeout: patience});
  await page.click('#panel-close');
}

async function legend(page) {
  const read = () => page.locator('#steps').innerText();
  const before = await read();
  check((await page.locator('#steps li').count()) === 6, 'the legend does not have six steps');
  await page.selectOption('#quantity', 'pm10');
  check((await read()) !== before, 'the legend did not change');
  await page.selectOption('#quantity', 'pm25');
  check((await read()) === before, 'the legend did not change back');
}

/** Waits until the map has loaded the tiles of the air. All tiles are never loaded, because of the gliding buses. */
async function settled(page) {
  await page.waitForFunction(() => ['nhip-field', 'nhip-air', 'nhip-past-buses'].every((id) => globalThis.nhip.map.isSourceLoaded(id)), null, {timeout: patience});
}

async function field(page) {
  const seen = (layer) => page.evaluate((id) => globalThis.nhip.map.getLayoutProperty(id, 'visibility'), layer);
  check((await seen('nhip-field')) === 'visible', 'the air between the monitors is not shown');
  await page.uncheck('#field');
  check((await seen('nhip-field')) === 'none', 'the air between the monitors is still shown');
  await page.check('#field');
  await settled(page);
}

async function hours(page) {
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.locator('#hour').focus();
  await page.keyboard.press('ArrowLeft');
  await settled(page);
  const visible = await page.evaluate(() => ['nhip-bus', 'nhip-past-bus', 'nhip-past-station'].map((id) => globalThis.nhip.map.getLayoutProperty(id, 'visibility')));
  check(visible.join() === 'none,visible,visible', `at a past hour the layers are ${visible}`);
  check((await page.locator('#hour-told').innerText()).match(/\d\d:00/), 'no hour is shown');
  for (const part of ['/tiles/air/', '/tiles/transit/', '.png?']) {
    check(asked.some((url) => url.includes(part) && url.includes('time=')), `no ${part} of that hour is requested`);
  }
  await page.keyboard.press('End');
  check((await page.evaluate(() => globalThis.nhip.map.getLayoutProperty('nhip-bus', 'visibility'))) === 'visible', 'the current buses were not shown again');
  await settled(page);
}

/** Checks every tile in view, at three zooms, with @mapbox/vector-tile: geometry, winding and properties. */
async function tiles(page) {
  const {lng, lat} = await page.evaluate(() => globalThis.nhip.map.getCenter());
  const seen = new Set();
  for (const zoom of [8, 11, 14]) {
    const x = Math.floor(((lng + 180) / 360) * 2 ** zoom);
    const y = Math.floor((0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * 2 ** zoom);
    for (const kind of ['air', 'transit']) {
      const answer = await fetch(`${home}/tiles/${kind}/${zoom}/${x}/${y}.mvt`);
      check(answer.ok, `${kind} at zoom ${zoom} answers ${answer.status}`);
      for (const [name, layer] of Object.entries(new VectorTile(new Pbf(new Uint8Array(await answer.arrayBuffer()))).layers)) {
        seen.add(name);
        check(layer.version === 2 && layer.extent === 4096 && layer.length > 0, `${name} has version ${layer.version}, extent ${layer.extent} and ${layer.length} features`);
        for (let i = 0; i < layer.length; i++) readFeature(name, layer.feature(i), {x, y, zoom});
      }
    }
  }
  for (const name of ['isobands', 'stations', 'routes', 'outline', 'buses']) check(seen.has(name), `no tile has the layer ${name}`);
}

async function othersStyle() {
  for (const theme of ['light', 'dark']) {
    const style = await (await fetch(`${home}/styles/nhip.json?theme=${theme}&index=US_EPA`)).json();
    const wrong = validateStyleMin(style);
    check(wrong.length === 0, `${theme}: ${wrong.map(({message}) => message).join('; ')}`);
    for (const {url} of Object.values(style.sources)) {
      const answer = await fetch(url);
      check(answer.ok && (await answer.json()).tilejson === '3.0.0', `${url} answers ${answer.status}`);
    }
  }
}

function readFeature(name, feature, {x, y, zoom}) {
  check(feature.type >= 1 && feature.type <= 3, `a feature of ${name} has type ${feature.type}`);
  const rings = feature.loadGeometry();
  check(rings.length > 0 && rings.every((ring) => ring.every((p) => p.x >= -64 && p.x <= 4160 && p.y >= -64 && p.y <= 4160)), `a feature of ${name} leaves its tile`);
  const {geometry} = feature.toGeoJSON(x, y, zoom);
  check(geometry && geometry.coordinates.length > 0, `a feature of ${name} has no geometry`);
}

async function language(page) {
  const say = async () => [await page.locator('html').getAttribute('lang'), await page.locator('#open-near').innerText()];
  check((await say())[0] === 'vi', 'a Vietnamese browser did not get Vietnamese');
  await page.click('#speak-en');
  check((await say()).join() === 'en,Buses near me', `the texts in English are ${await say()}`);
  check((await page.locator('.maplibregl-canvas').getAttribute('aria-label'))?.startsWith('Map of buses'), 'the map has no English label');
  await fills(page);
  check((await say())[0] === 'en', 'the language was forgotten');
  await page.click('#speak-vi');
  check((await say()).join() === 'vi,Xe buýt gần tôi', `the texts in Vietnamese are ${await say()}`);
}

/** Runs axe-core with and without a panel. It is a script of the test and bypasses the page's content security policy. */
async function accessible(page) {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  await inspect(page, 'the page');
  await page.click('#open-near');
  await inspect(page, 'buses near me');
  await page.click('#panel-close');
  await page.click('#open-stations');
  await page.locator('#panel .list .row').first().click();
  await page.locator('figure.day[data-state=drawn]').waitFor({timeout: patience});
  await inspect(page, 'a station');
  await page.click('#panel-close');
}

/** While the panel fades in its contrast is too low, so it is checked afterwards. */
async function inspect(page, what) {
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity)
    .map((animation) => animation.finished.catch(() => undefined))));
  const grave = await page.evaluate(async () => {
    const {violations} = await globalThis.axe.run();
    return violations.filter(({impact}) => impact === 'serious' || impact === 'critical')
      .map(({id, nodes}) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  });
  check(grave.length === 0, `${what}: ${grave.join('; ')}`);
}

async function fits(page) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(wide <= screen, `the page is ${wide} px wide on a screen of ${screen}`);
}

async function policy(page) {
  const broken = await page.evaluate(() => globalThis.violations);
  check(broken.length === 0, `broken: ${broken.join('; ')}`);
}

function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** Runs the steps in their order on one page; a failure is reported and the others still run. */
async function run(browser, screen, list) {
  const context = await browser.newContext({locale: 'vi-VN', geolocation: hoanKiem, permissions: ['geolocation'], ...screen});
  context.setDefaultTimeout(patience); // of clicks, too
  const page = await context.newPage();
  const faults = [];
  await watch(page, home, faults);
  let passed = 0;
  for (const [name, step] of list) {
    const began = performance.now();
    const error = await step(page).then(() => undefined, (caught) => caught);
    const wrong = [...(error ? [error.message] : []), ...faults.splice(0)];
    console.log(`${wrong.length ? 'FAIL' : 'ok  '} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    for (const line of wrong) console.log(`     ${line}`);
    if (wrong.length === 0) passed++;
    else await page.screenshot({path: path.join(output, 'map-failed.png')}).catch(() => undefined);
  }
  await context.close();
  return passed;
}

await mkdir(output, {recursive: true});
const browser = await start();
let passed = 0;
try {
  passed += await run(browser, {viewport: {width: 1280, height: 800}}, steps);
  passed += await run(browser, {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, isMobile: true, hasTouch: true, reducedMotion: 'reduce'}, phoneSteps);
} finally {
  await browser.close();
}
const failed = steps.length + phoneSteps.length - passed;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
