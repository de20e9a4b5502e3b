import {describe, expect, test} from 'vitest';

import {type Caption, drawPicture, fileName, mapBox, sizes, type Spot} from '../src/air/picture.ts';
import {arrange, centerOf, fitView, place, project, tilesOf} from '../src/air/picture-view.ts';
import {drawMark, markId, readMark} from '../src/air/station-mark.ts';

/** A pen that remembers what it wrote and where. */
function pen() {
  const written: {text: string; x: number; y: number; font: string}[] = [];
  const target: Record<string, unknown> = {
    font: '', fillText: (text: string, x: number, y: number) => written.push({text, x, y, font: String(target['font'])}),
    measureText: (text: string) => ({width: text.length * 0.55 * Number(/([\d.]+)px/.exec(String(target['font']))?.[1] ?? 10)}),
  };
  const context = new Proxy(target, {get: (t, name) => (name in t ? t[name as string] : () => undefined), set: (t, name, value) => ((t[name as string] = value), true)});
  return {context: context as unknown as CanvasRenderingContext2D, written};
}

const caption: Caption = {
  title: 'Chất lượng không khí Hà Nội', scale: 'VN_AQI giờ', hour: '06:00, 30/11/2026', summary: '38/40 trạm · cao nhất Xuân Đỉnh 166 Xấu', estimated: 'Màu giữa các trạm là ước tính',
  source: 'Nguồn: Sở Nông nghiệp và Môi trường', definition: 'Thang: Quyết định 1459/QĐ-TCMT', licence: 'CC-BY-4.0', address: 'nhip.example/air', stamp: 'MÔ PHỎNG',
  classes: ['Tốt', 'Trung bình', 'Kém', 'Xấu', 'Rất xấu', 'Nguy hại'].map((name, i) => ({name, span: `${50 * i}–${50 * i + 50}`, color: '#FF0000'})),
};
const box = [105.7, 20.9, 105.95, 21.15] as const;
const spots: Spot[] = [
  {at: [105.8, 21], value: 166, text: '166', color: '#FF0000', sensor: false, doubt: undefined}, {at: [105.801, 21], value: 40, text: '40', color: '#00E400', sensor: true, doubt: undefined},
];

describe.each(Object.entries(sizes))('the picture %s', (_, size) => {
  const {context, written} = pen();
  drawPicture(context, size, caption, spots, fitView(box, mapBox(size)));
  const all = written.map(({text}) => text).join('\n');

  test('stands alone: it says everything that is needed to read it', () => {
    for (const part of [caption.title, caption.scale, caption.hour, caption.summary, caption.estimated, caption.source, caption.definition, caption.licence, caption.address, 'MÔ PHỎNG', '166', 'Tốt 0–50', 'Nguy hại']) expect(all).toContain(part);
  });

  test('writes within its edges', () => {
    for (const {text, x, y, font} of written) {
      if (text === 'MÔ PHỎNG' || text === '166') continue; // centred, or turned
      const px = Number(/([\d.]+)px/.exec(font)?.[1]);
      expect(x + text.length * 0.55 * px, text).toBeLessThanOrEqual(size.width);
      expect(y, text).toBeLessThan(size.height);
    }
  });

  test('a clean station gives way to a worse one', () => expect(written.map(({text}) => text)).not.toContain('40'));
});

test('a picture of real data has no stamp', () => {
  const {context, written} = pen();
  drawPicture(context, sizes.wide, {...caption, stamp: undefined}, [], fitView(box, mapBox(sizes.wide)));
  expect(written.some(({text}) => text === 'MÔ PHỎNG')).toBe(false);
});

test('the file is named by scale and hour', () => {
  expect(fileName('vn', '2026-11-29T23:00:00Z')).toBe('nhip-vn-20261129T2300.png');
});

describe('the view of a picture', () => {
  test('shows all that it shall', () => {
    const size = mapBox(sizes.wide);
    const view = fitView(box, size);
    for (const at of [[105.7, 20.9], [105.95, 21.15]] as const) {
      const [x, y] = place(at, view);
      expect(x).toBeGreaterThanOrEqual(-1);
      expect(x).toBeLessThanOrEqual(size.width + 1);
      expect(y).toBeGreaterThanOrEqual(-1);
      expect(y).toBeLessThanOrEqual(size.height + 1);
    }
    const [lon, lat] = centerOf(view, size);
    expect(lon).toBeCloseTo(105.825, 5);
    expect(lat).toBeCloseTo(21.025, 2);
  });

  test('is covered by tiles', () => {
    const size = {width: 1600, height: 700};
    const tiles = tilesOf(fitView(box, size), size);
    expect(Math.min(...tiles.map(({left}) => left))).toBeLessThanOrEqual(0);
    expect(Math.max(...tiles.map(({left, size: wide}) => left + wide))).toBeGreaterThanOrEqual(size.width);
    expect(tiles.length).toBeLessThan(20);
  });

  test('projects as tiles do', () => {
    const [x, y] = project([0, 0], 512);
    expect([x, y].map(Math.round)).toEqual([256, 256]);
    expect(arrange([{at: [0, 0] as const, value: 1}], {zoom: 0, left: 0, top: 0}, {width: 10, height: 10}, 5)).toEqual([]);
  });
});

describe('the symbol of a station', () => {
  test('has an id that says all of it', () => {
    const mark = {color: '#FF0000', text: '1,2|x', sensor: true, doubt: 'suspect' as const};
    expect(readMark(markId(mark))).toEqual(mark);
    expect(readMark('nhip|bus|sure|24|')).toBeUndefined();
  });

  test('without a value is grey and dashed', () => {
    const dashes: number[][] = [];
    const set = {...Object.fromEntries(['beginPath', 'arc', 'moveTo', 'lineTo', 'closePath', 'fill', 'stroke', 'save', 'restore', 'clip'].map((name) => [name, () => undefined])), setLineDash: (dash: number[]) => dashes.push(dash)};
    expect(drawMark(set as never, {color: undefined, text: '–', sensor: false, doubt: 'none'}, 0, 0, 17)).toBe('#5a646b');
    expect(dashes[0]?.length).toBe(2);
    expect(drawMark(set as never, {color: '#8F3F97', text: '250', sensor: true, doubt: 'suspect'}, 0, 0, 17)).toBe('#ffffff');
  });
});
