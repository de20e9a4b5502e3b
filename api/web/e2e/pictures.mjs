// The pictures of the README, taken of a running simulated city (`make demo`) that has its past:
//
//   NHIP_URL=http://127.0.0.1:8080 node e2e/pictures.mjs
//
//   PICTURES   the folder that gets them; default: docs
//   CHROMIUM   the browser; default: /usr/bin/chromium
//
// Stills and the animation are WebP, which the browser encodes; the frames are put into one file here.

import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {start} from './browser.mjs';

const home = (process.env.NHIP_URL || 'http://127.0.0.1:8080').replace(/\/$/, '');
const folder = process.env.PICTURES || fileURLToPath(new URL('../../../docs', import.meta.url));

const patience = 120_000; // ms; maps are drawn by software here
const maxBytes = 1_500_000; // of all pictures
const stillQuality = 0.82;
const frameQuality = 0.6;
const frames = 24;
const frameWidth = 800;
const frameEvery = 500; // ms

const phone = {viewport: {width: 360, height: 740}, deviceScaleFactor: 2, isMobile: true, hasTouch: true};
const desk = {viewport: {width: 1280, height: 800}};
const lake = '21.0287,105.8524';

/** Encodes a PNG as WebP of a width in pixels; without alpha, so that it is one chunk. */
async function webp(encoder, png, quality, width) {
  const text = await encoder.evaluate(async (o) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${o.source}`)).blob());
    const scale = o.width ? o.width / image.width : 1;
    const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
    const context = canvas.getContext('2d', {alpha: false});
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({type: 'image/webp', quality: o.quality})).arrayBuffer());
    let out = '';
    for (let i = 0; i < bytes.length; i += 0x8000) out += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(out);
  }, {source: png.toString('base64'), quality, width});
  return Buffer.from(text, 'base64');
}

function chunk(name, content) {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

/** The chunk of a WebP file that holds the picture. */
function pictureOf(file) {
  for (let at = 12; at + 8 <= file.length;) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'VP8 ') return file.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  throw new Error('the browser encoded no lossy WebP');
}

/** Puts WebP files of one size into an endless animation (the container of RFC 9649). */
function animation(files, duration) {
  const [first] = files.map(pictureOf);
  const width = first.readUInt16LE(6) & 0x3fff;
  const height = first.readUInt16LE(8) & 0x3fff;
  const size = Buffer.alloc(6);
  size.writeUIntLE(width - 1, 0, 3);
  size.writeUIntLE(height - 1, 3, 3);
  const time = Buffer.alloc(4); // and flags: each frame replaces the one before
  time.writeUIntLE(duration, 0, 3);
  time[3] = 2;
  const content = Buffer.concat([
    Buffer.from('WEBP', 'latin1'),
    chunk('VP8X', Buffer.concat([Buffer.from([2, 0, 0, 0]), size])), // 2: animated
    chunk('ANIM', Buffer.alloc(6)), // no background, endless
    ...files.map((file) => chunk('ANMF', Buffer.concat([Buffer.alloc(6), size, time, chunk('VP8 ', pictureOf(file))]))),
  ]);
  return chunk('RIFF', content);
}

/** Waits until the map is drawn and the network is quiet. */
async function painted(page) {
  await page.locator('#map canvas, canvas.maplibregl-canvas').first().waitFor({timeout: patience});
  await page.waitForLoadState('networkidle', {timeout: 15_000}).catch(() => undefined); // a stream stays open
  await page.waitForTimeout(3_000); // tiles fade in
}

/** Opens a page of the app in a context of its own, and returns it drawn. */
async function open(browser, device, address, row) {
  const context = await browser.newContext({...device, locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh', reducedMotion: 'no-preference'});
  const page = await context.newPage();
  await page.goto(home + address);
  if (row) await page.locator(row).nth(2).waitFor({timeout: patience});
  await painted(page);
  return page;
}

async function still(browser, encoder, device, address, row) {
  const page = await open(browser, device, address, row);
  const file = await webp(encoder, await page.screenshot(), stillQuality);
  await page.context().close();
  return file;
}

async function moving(browser, encoder, device, address) {
  const page = await open(browser, device, address);
  const shots = [];
  for (let i = 0; i < frames; i++) {
    const next = Date.now() + frameEvery;
    shots.push(await page.screenshot());
    await page.waitForTimeout(Math.max(next - Date.now(), 0));
  }
  await page.context().close();
  const files = [];
  for (const png of shots) files.push(await webp(encoder, png, frameQuality, frameWidth));
  return animation(files, frameEvery);
}

/** An hour of yesterday's or this morning that stations measured. */
async function pastHour() {
  const {hours} = await (await fetch(`${home}/v1/air/hours`)).json();
  const found = hours.find(({stations}, back) => back >= 8 && stations > 0) ?? hours.at(-1);
  return encodeURIComponent(found.time);
}

const browser = await start();
try {
  const encoder = await browser.newPage();
  const pictures = {
    'rider.webp': () => still(browser, encoder, phone, `/?at=${lake}`, '.deps .dep'),

    'air.webp': () => still(browser, encoder, desk, '/air', '.air-row'),
    'zones.webp': () => still(browser, encoder, desk, '/air?layer=zones', '.air-row'),
    'air-past.webp': async () => still(browser, encoder, phone, `/air?time=${await pastHour()}`, '.air-row'),
    'moving.webp': () => moving(browser, encoder, desk, `/?at=${lake}`),
  };
  await mkdir(folder, {recursive: true});
  let bytes = 0;
  for (const [name, take] of Object.entries(pictures)) {
    const file = await take();
    bytes += file.length;
    await writeFile(path.join(folder, name), file);
    console.log(`${name} ${Math.round(file.length / 1000)} kB`);
  }
  if (bytes > maxBytes) throw new Error(`the pictures have ${bytes} bytes, more than ${maxBytes}`);
} finally {
  await browser.close();
}
