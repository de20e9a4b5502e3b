// The air, its picture and its embedded page, the time without a network, and the budgets, in a real browser.
//
// `home` of steps.mjs is the api; pages ask through a line that can be cut.

import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import path from 'node:path';

import {openLine} from './proxy.mjs';
import {accessible, check, desk, fits, full, get, home as api, large, output, patience, phone, policy, runAll, until} from './steps.mjs';

const line = await openLine(api);
const home = line.url;

/** Axe, and nothing wider than the screen. */
async function usable(page) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter((animation) => animation.effect.getComputedTiming().endTime < Infinity).map((animation) => animation.finished.catch(() => undefined))));
  await accessible(page);
  await fits(page);
  if (page.viewportSize().width < 500) await large(page);
}

/** Adds up how far the layout shifts. */
const shifts = (page) => page.addInitScript(() => {
  globalThis.shift = 0;
  new PerformanceObserver((entries) => entries.getEntries().forEach((e) => !e.hadRecentInput && (globalThis.shift += e.value))).observe({type: 'layout-shift', buffered: true});
});

/** An hour of which stations have values, a few hours ago. */
async function pastHour() {
  const {hours} = await get('/v1/air/hours');
  return hours.find(({stations}, back) => back >= 2 && stations > 0)?.time;
}

/** The page as those see it who have no scripts yet. */
async function withoutScripts(_page, _faults, browser) {
  const context = await browser.newContext({...phone, locale: 'vi-VN', javaScriptEnabled: false});
  const page = await context.newPage();
  await page.goto(home);
  check((await page.locator('.deps .eta').count()) >= 3, 'fewer than three departures stand in the page');
  await page.goto(`${home}/air`);
  check((await page.locator('.air-row .air-level').count()) >= 3, 'no stations stand in the page');
  check((await page.locator('.air-summary').innerText()).includes('trạm'), 'no summary stands in the page');
  const missing = await page.goto(`${home}/air/station/none`);
  check(missing.status() === 404 && (await page.locator('a.find').count()) === 1, 'an unknown station is not 404 with a way to search');
  await context.close();
}

async function map(page) {
  await shifts(page);
  await page.goto(`${home}/air`);
  await page.locator('.air-row').first().waitFor({timeout: patience});
  const {cls, asked} = await page.evaluate(() => ({cls: globalThis.shift, asked: performance.getEntriesByType('resource').map(({name}) => new URL(name).pathname)}));
  check(!asked.includes('/v1/stations') && !asked.includes('/v1/legend'), `the page asks for what it holds: ${asked}`);
  check(cls < 0.1, `the layout shifts by ${cls.toFixed(3)}`);
  await page.locator('#map-holder[data-state=there]').waitFor({timeout: patience});
  await page.waitForFunction(() => document.querySelector('#map canvas'), null, {timeout: patience});
  check((await page.locator('.air-legend li').count()) === 6, 'the legend has not six classes');
  check((await page.locator('#scale').inputValue()) === 'vn', 'VN_AQI is not the first number');
  await painted(page);
  await page.screenshot({path: path.join(output, 'air.png')});
}

/** Waits until the map stands still: nothing of it is asked for or drawn any more. */
async function painted(page) {
  await page.waitForLoadState('networkidle', {timeout: patience}).catch(() => undefined);
}

async function scales(page) {
  await page.selectOption('#scale', 'us');
  await page.waitForURL(/index=US_EPA/);
  await page.selectOption('#scale', 'pm25');
  await page.waitForURL(/quantity=pm25/);
  check(!page.url().includes('US_EPA'), 'two scales at a time');
  await page.selectOption('#scale', 'vn');
  check(!new URL(page.url()).search.includes('quantity'), 'the default scale stays in the address');
}

async function zones(page) {
  await page.click('#layers');
  await page.locator('input[name=ground][value=zones]').check({timeout: patience});
  await page.waitForURL(/layer=zones/);
  await page.locator('a[href^="/air/zone/"]').first().waitFor({timeout: patience});
  await page.keyboard.press('Escape');
  await page.locator('a[href^="/air/zone/"]').first().click();
  await page.locator('.air-now b, .note').first().waitFor({timeout: patience});
  await usable(page);
  await page.goBack();
  await page.locator('a[href^="/air/zone/"]').first().waitFor({timeout: patience});
}

async function station(page) {
  await page.goto(`${home}/air`);
  await page.locator('a[href^="/air/station/"]').first().click();
  await page.locator('.air-now b').waitFor({timeout: patience});
  await page.locator('figure.chart canvas').waitFor({timeout: patience});
  const day = Number(await page.locator('figure.chart').getAttribute('data-hours'));
  check(day > 0 && day <= 24, `${day} hours are drawn`);
  check(/\d/.test((await page.locator('figure.chart [role=img]').getAttribute('aria-label')) ?? ''), 'the chart says nothing');
  await page.click('#span-week');
  await page.waitForURL(/span=week/);
  await page.locator('figure.chart canvas').waitFor({timeout: patience});
  await usable(page);
  await page.goBack();
  await page.locator('#save-picture').waitFor({timeout: patience});
}

/** Scenario 7: the journalist. */
async function journalist(page, _faults, browser) {
  const time = await pastHour();
  await page.goto(`${home}/air?time=${time}`);
  await page.locator('#to-now').waitFor({timeout: patience});
  check(!(await page.locator('#bar').innerText()).includes('Trực tiếp'), 'the past is called live');
  check((await page.locator('html').getAttribute('data-past')) === 'true', 'the past has no frame');
  await page.locator('.air-row').first().waitFor({timeout: patience});
  await page.locator('#map-holder[data-state=there]').waitFor({timeout: patience});
  await page.screenshot({path: path.join(output, 'air-past.png')});
  await page.click('#save-picture');
  for (const [shape, width, height] of full ? [['wide', 1600, 1000], ['tall', 1080, 1350]] : [['wide', 1600, 1000]]) {
    await page.click(`#picture-${shape}`);
    await page.locator(`#picture[width="${width}"]`).waitFor({timeout: patience});
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#picture-save')]);
    const png = await readFile(await file.path());
    await file.saveAs(path.join(output, `air-picture-${shape}.png`));
    check(png.readUInt32BE(16) === width && png.readUInt32BE(20) === height, `the picture is ${png.readUInt32BE(16)} × ${png.readUInt32BE(20)}`);
    const alt = await page.locator('#picture').getAttribute('alt');
    check(/\d\d:00, \d\d\/\d\d\/\d{4}/.test(alt) && /\d+\/\d+ trạm/.test(alt), `the picture says ${alt}`);
  }
  await usable(page);
  await embedded(browser, await page.locator('#embed-code').inputValue(), time);
  await page.keyboard.press('Escape');
  await page.click('#to-now');
  await page.waitForFunction(() => document.documentElement.dataset.past === 'false');
  check(!page.url().includes('time='), 'the hour stays in the address');
}

/** Staff change an hour after it was shown: its station says so, with the value before. */
async function revised(page) {
  const token = process.env.NHIP_TOKEN;
  check(token, 'NHIP_TOKEN must be a token that may review');
  const to = await pastHour();
  const {features} = await get('/v1/stations');
  const {id} = features.find(({properties}) => properties.aqi?.dominant === 'pm25').properties;
  const from = new Date(Date.parse(to) - 3_600_000).toISOString();
  const answer = await fetch(`${api}/v1/reviews`, {method: 'POST', headers: {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'}, body: JSON.stringify({
    station: id, quantity: 'pm25', from, to: new Date(Date.parse(from) + 1_800_000).toISOString(), action: 'strike', why: 'maintenance',
  })});
  check(answer.status === 201, `the review is answered with ${answer.status}`);
  await until('the reviewed hour', async () => (await get(`/v1/stations/${id}/readings?quantity=pm25&period=hour`)).readings.some(({level}) => level === 'reviewed'));
  await page.goto(`${home}/air/station/${id}`);
  await page.locator('#revised').waitFor({timeout: patience});
  check(/đã hiệu chỉnh \d\d:00, \d\d\/\d\d \(.* → .*\)/.test(await page.locator('#revised').innerText()), 'the change is not told with the value before');
}

/** A page of another site shows the map, with nothing but pictures. */
async function embedded(browser, code, time) {
  check(code.includes(encodeURIComponent(time)), `the code does not fix the hour: ${code}`);
  const site = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>a newspaper</title>${code}`));
  await new Promise((listening) => site.listen(0, 'localhost', listening));
  const context = await browser.newContext({viewport: {width: 800, height: 600}});
  try {
    const page = await context.newPage();
    const wrong = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    await page.goto(`http://localhost:${site.address().port}/`);
    await page.frameLocator('iframe').locator('svg text').first().waitFor({timeout: patience});
    const frame = page.frames().find((f) => f.url().includes('/embed/'));
    check((await frame.locator('script').count()) === 0, 'the embedded page has scripts');
    check((await frame.locator('header').innerText()).match(/\d\d:00/), 'the embedded page has no hour');
    check((await frame.locator('ol li').count()) === 6 && (await frame.locator('footer a').count()) === 1, 'the embedded page has no legend or source');
    check((await context.cookies()).length === 0, 'the embedded page has set a cookie');
    check(wrong.length === 0, `the embedded page: ${wrong}`);
    await page.screenshot({path: path.join(output, 'air-embed.png')});
  } finally {
    await context.close();
    site.close();
  }
}

async function slider(page) {
  await page.locator('#hour').focus();
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL(/time=/);
  check((await page.locator('#hour-told').innerText()).match(/\d\d:00, \d\d\/\d\d/), 'no hour is told');
  await page.click('#hour-after');
  await page.waitForFunction(() => !location.search.includes('time='));
  await page.click('#play');
  await page.waitForURL(/time=/);
  await page.click('#play');
  await page.keyboard.press('Tab');
  await page.goto(`${home}/air`);
  await page.locator('.air-row').first().waitFor({timeout: patience});
  await usable(page);
}

/** Without a network the app opens with what it had; the faults of the network are the point of this step. */
async function offline(page, faults) {
  const context = page.context();
  await page.goto(`${home}/air`);
  await page.waitForFunction(async () => (await navigator.serviceWorker?.getRegistration())?.active?.state === 'activated' && navigator.serviceWorker.controller, null, {timeout: patience});
  await page.goto(`${home}/air`);
  await page.locator('.air-row').first().waitFor({timeout: patience});
  await page.waitForFunction(async () => (await (await caches.open('nhip-answers')).keys()).some(({url}) => url.endsWith('/v1/stations')), null, {timeout: patience});
  line.cut();
  await context.setOffline(true);
  await page.goto(`${home}/air`);
  await page.locator('.air-row').first().waitFor({timeout: patience});
  check(!(await page.locator('#bar').innerText()).includes('Trực tiếp'), 'the app calls itself live without a network');
  check(/Không có mạng · số liệu lúc \d\d:\d\d/.test(await page.locator('#view').innerText()), 'the old values are not called old');
  await page.goto(`${home}/saved`);
  await page.locator('h1').waitFor({timeout: patience});
  await context.setOffline(false);
  line.mend();
  await page.locator('.status.live').waitFor({timeout: patience}); // the stream of before has failed by then
  faults.length = 0;
}

/** The server dies: the app says so, and comes back by itself. */
async function killed(page, faults) {
  await page.goto(home);
  await page.locator('.status.live').waitFor({timeout: patience});
  line.cut();
  await page.locator('.status.lost').waitFor({timeout: 40_000});
  line.mend();
  await page.locator('.status.live').waitFor({timeout: patience});
  faults.length = 0;
}

/** The line falls silent without breaking. */
async function silent(page, faults) {
  await page.goto(home);
  await page.locator('.status.live').waitFor({timeout: patience});
  line.hush();
  const began = Date.now();
  await page.locator('.status.lost').waitFor({timeout: 45_000});
  check(Date.now() - began <= 42_000, `a silent line was noticed after ${Date.now() - began} ms`);
  line.mend();
  line.cut();
  line.mend();
  await page.locator('.status.live').waitFor({timeout: patience});
  faults.length = 0;
}

/** Networks as the developer tools of Chromium have them: bytes a second, and ms. */
const networks = {
  'slow 4G': {downloadThroughput: (1.6e6 / 8) * 0.9, uploadThroughput: (750e3 / 8) * 0.9, latency: 150 * 3.75},
  'slow 3G': {downloadThroughput: (500e3 / 8) * 0.8, uploadThroughput: (500e3 / 8) * 0.8, latency: 400 * 5},
};

/** When a phone shows something of `selector`, ms after the request. */
async function firstView(browser, address, selector, network) {
  const context = await browser.newContext({...phone, locale: 'vi-VN', serviceWorkers: 'block'});
  try {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    await cdp.send('Network.emulateNetworkConditions', {offline: false, ...networks[network]});
    await cdp.send('Emulation.setCPUThrottlingRate', {rate: 4});
    await page.addInitScript((wanted) => {
      const look = () => (document.querySelectorAll(wanted).length >= 3 ? requestAnimationFrame(() => (globalThis.seenAt = performance.now())) : requestAnimationFrame(look));
      look();
    }, selector);
    await page.goto(home + address, {waitUntil: 'commit', timeout: patience});
    await page.waitForFunction(() => globalThis.seenAt !== undefined, null, {timeout: patience});
    return await page.evaluate(() => globalThis.seenAt);
  } finally {
    await context.close();
  }
}

/** The best of three: on a busy machine other programs take the processor, which no phone has to share with them. */
async function fast(_page, _faults, browser) {
  for (const [network, most] of full ? [['slow 4G', 2000], ['slow 3G', 5000]] : [['slow 4G', 2000]]) {
    for (const [address, selector] of [['/', '.deps .eta'], ['/air', '.air-row .air-level']]) {
      let best = Infinity;
      for (let i = 0; i < 3 && best > most; i++) best = Math.min(best, await firstView(browser, address, selector, network));
      console.log(`     ${address} on ${network}: ${Math.round(best)} ms`);
      check(best <= most, `${address} shows three rows after ${Math.round(best)} ms on ${network}, at most ${most} are allowed`);
    }
  }
}

/** What a phone that looks at its neighbourhood receives in a minute, and what it holds after an hour's worth of views. */
async function frugal(_page, _faults, browser) {
  const context = await browser.newContext({...phone, locale: 'vi-VN', serviceWorkers: 'block'});
  try {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    let received = 0;
    cdp.on('Network.webSocketFrameReceived', ({response}) => (received += response.payloadData.length));
    cdp.on('Network.loadingFinished', ({encodedDataLength}) => (received += encodedDataLength));
    await page.goto(home);
    await page.locator('#map-holder[data-state=there]').waitFor({timeout: patience});
    await painted(page);
    await new Promise((done) => setTimeout(done, 15_000)); // what the first view needs has come
    received = 0;
    const seconds = 60;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    console.log(`     live data: ${(received / seconds / 1000).toFixed(2)} kB/s`);
    check(received / seconds <= 2000, `${Math.round(received / seconds)} bytes a second`);
    const used = async () => {
      await cdp.send('HeapProfiler.collectGarbage');
      return (await cdp.send('Runtime.getHeapUsage')).usedSize;
    };
    const visit = async () => {
      for (const to of ['/air', '/', '/saved', '/more']) {
        await page.evaluate((href) => document.querySelector(`#tabs a[href^="${href}"]`)?.click(), to);
        await page.waitForTimeout(700);
      }
    };
    for (let i = 0; i < 5; i++) await visit();
    const before = await used();
    for (let i = 0; i < 25; i++) await visit();
    const after = await used();
    console.log(`     memory: ${(before / 1e6).toFixed(1)} MB, after 100 views ${(after / 1e6).toFixed(1)} MB`);
    check(after < before * 1.25 + 2e6, `the memory grew from ${before} to ${after}`);
  } finally {
    await context.close();
  }
}

const lists = [
  ['desk', {acceptDownloads: true, reducedMotion: 'reduce', ...desk, ...(full ? {} : {viewport: {width: 960, height: 600}})}, [ // software WebGL draws every pixel
    ['three departures and the stations stand in the page', withoutScripts],
    ['the air lies on the map', map],
    ['the scale switch names itself', scales],
    ['areas are coloured and open', zones],
    ['a station has its day and its week', station],
    ['the journalist saves a picture and embeds an hour', journalist],
    ...(full ? [['a changed hour is told', revised], ['the hours can be gone through by keys', slider]] : []),
    ['the policy was kept', policy],
    ['the first view comes in time', fast],
    ['the app opens without a network', offline],
    ['a dead server is told, and forgotten when it lives', killed],
    ...(full ? [['a silent line is told within 40 s', silent], ['a phone receives little and holds little', frugal]] : []),
  ]],
  ['phone', {acceptDownloads: true, reducedMotion: 'reduce', ...phone}, [
    ['the air', map],
    ['the hours', slider],
    ...(full ? [['the journalist', journalist], ['areas', zones], ['a station', station]] : []),
    ['the policy was kept', policy],
  ]],
];

await until('an index', async () => (await get('/v1/stations')).features.some(({properties}) => properties.aqi));
await until('a past hour', async () => (await pastHour()) !== undefined);
try {
  await runAll(lists, {origin: home, after: async (context) => {
    line.mend();
    await context.setOffline(false);
  }});
} finally {
  await line.close();
}
