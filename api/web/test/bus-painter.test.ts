import {beforeEach, expect, test} from 'vitest';

import {BusPainter} from '../src/map/bus-painter.ts';
import {CityClock} from '../src/core/city-clock.ts';
import type {LonLat} from '../src/core/contract.ts';
import {Fleet} from '../src/map/fleet.ts';
import {busPoint, type Points} from '../src/map/bus-overlay.ts';
import {bus, fix} from './city.ts';

let now: number;
let due: (() => void) | undefined;
let pictures: Points[];
let finish: () => void;
let styled: boolean;
let fleet: Fleet;
let painter: BusPainter;

beforeEach(() => {
  now = 0;
  due = undefined;
  pictures = [];
  styled = true;
  const clock = new CityClock(() => now);
  clock.set(0, 1);
  fleet = new Fleet(clock);
  const canvas = {
    wants: () => true,
    point: busPoint,
    inView: ([lon]: LonLat) => lon < 106,
    show: (points: Points) => {
      if (!styled) return undefined;
      pictures.push(points);
      return new Promise<void>((resolve) => (finish = resolve));
    },
  };
  painter = new BusPainter(fleet, canvas, (run) => (due = () => run(now)), () => now);
});

/** Lets the map finish its frame, if there is one. */
async function drawn(): Promise<void> {
  finish();
  await new Promise((resolve) => setTimeout(resolve)); // a turn of the event loop: every promise has run
}

function frame(ms: number): void {
  now += ms;
  const run = due;
  due = undefined;
  run?.();
}

test('a standing fleet is drawn once and requests no further frame', async () => {
  fleet.put(bus('1'), 1, fix(), now);
  painter.wake();
  frame(16);
  await drawn();
  expect(pictures).toHaveLength(1);
  expect(due).toBeUndefined();
});

test('a gliding bus is drawn at most 15 times a second, until it has arrived', async () => {
  fleet.put(bus('1'), 1, fix(), now);
  now += 2000;
  fleet.move(1, fix([105.851, 21.03]), now);
  painter.wake();
  for (let i = 0; i < 200; i++) {
    frame(16);
    await drawn();
  }
  expect(pictures.length).toBeGreaterThan(20);
  expect(pictures.length).toBeLessThanOrEqual(32);
  expect(pictures.at(-1)?.features[0]?.geometry.coordinates).toEqual([105.851, 21.03]);
  expect(due).toBeUndefined();
});

test('no frame is sent before the map has processed the last one', async () => {
  fleet.put(bus('1'), 1, fix(), now);
  painter.wake();
  frame(16);
  painter.wake();
  for (let i = 0; i < 20; i++) frame(16);
  expect(pictures).toHaveLength(1);
  await drawn();
  frame(100);
  expect(pictures).toHaveLength(2);
});

test('buses out of view are not sent', () => {
  fleet.put(bus('1'), 1, fix(), now);
  fleet.put(bus('2'), 2, fix([107, 21]), now);
  painter.wake();
  frame(16);
  expect(pictures[0]?.features).toHaveLength(1);
});

test('the painter waits for a style', () => {
  styled = false;
  fleet.put(bus('1'), 1, fix(), now);
  painter.wake();
  frame(16);
  expect(pictures).toHaveLength(0);
  styled = true;
  frame(16);
  expect(pictures).toHaveLength(1);
});
