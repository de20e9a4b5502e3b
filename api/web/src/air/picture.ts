import {arrange, type View} from './picture-view.ts';
import {drawMark, type Mark} from './station-mark.ts';

// A picture of the air for the press: title, hour, scale, legend, how many stations, what is estimated, source, licence and
// address stand in it, so that it can be shown alone. Drawn on a 2D canvas over a map that the caller paints.

/** The size of a picture, px. */
export interface Size {
  width: number;
  height: number;
}

export const sizes = {wide: {width: 1600, height: 1000}, tall: {width: 1080, height: 1350}} as const;

/** A station in the picture; those under review are left out by the caller. */
export interface Spot extends Mark {
  at: readonly [lon: number, lat: number];
  value: number;
}

/** What a picture says. */
export interface Caption {
  title: string;
  scale: string;
  hour: string;
  summary: string;
  estimated: string;
  source: string;
  /** The document that defines the scale. */
  definition: string;
  licence: string;
  address: string;
  /** Across the picture, if the data are simulated. */
  stamp: string | undefined;
  classes: readonly {name: string; span: string; color: string}[];
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const ink = '#16222b';
const soft = '#4f5d66';
const margin = 36;

/** Where the map stands in a picture. */
export function mapBox({width, height}: Size): Box {
  const [top, bottom] = [144, width > height ? 196 : 290];
  return {x: 0, y: top, width, height: height - top - bottom};
}

type Pen2D = CanvasRenderingContext2D;

const font = (px: number, weight = 400): string => `${weight} ${px}px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`;

/** Draws everything around and on the map, which is in its box already. */
export function drawPicture(pen: Pen2D, size: Size, caption: Caption, spots: readonly Spot[], view: View): void {
  const box = mapBox(size);
  if (caption.stamp) drawStamp(pen, box, caption.stamp); // below the numbers, which stay legible
  drawSpots(pen, box, spots, view);
  pen.fillStyle = '#ffffff';
  pen.fillRect(0, 0, size.width, box.y);
  pen.fillRect(0, box.y + box.height, size.width, size.height - box.y - box.height);
  pen.fillStyle = ink;
  pen.fillRect(0, box.y - 3, size.width, 3);
  drawHead(pen, size, caption);
  const below = drawLegend(pen, size, box.y + box.height + 22, caption.classes);
  drawFoot(pen, size, below, caption);
}

function drawSpots(pen: Pen2D, box: Box, spots: readonly Spot[], view: View): void {
  pen.save();
  pen.beginPath();
  pen.rect(box.x, box.y, box.width, box.height);
  pen.clip();
  for (const {spot, x, y, small} of arrange(spots, view, box, 24)) {
    const color = drawMark(pen, {...spot, doubt: spot.doubt === 'stale' ? 'stale' : undefined}, box.x + x, box.y + y, small ? 7 : 22);
    if (small) continue;
    pen.font = font(spot.text.length > 3 ? 15 : 18, 700);
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillStyle = color;
    pen.fillText(spot.text, box.x + x, box.y + y + 1);
  }
  pen.restore();
}

function drawStamp(pen: Pen2D, box: Box, text: string): void {
  pen.save();
  pen.translate(box.x + box.width / 2, box.y + box.height / 2);
  pen.rotate(-Math.atan2(box.height, box.width) * 0.7);
  pen.font = font(Math.min(150, box.width / (0.75 * text.length)), 700);
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.globalAlpha = 0.2;
  pen.fillStyle = ink;
  pen.fillText(text, 0, 0);
  pen.restore();
}

function drawHead(pen: Pen2D, {width}: Size, {title, scale, hour}: Caption): void {
  pen.textAlign = 'left';
  pen.textBaseline = 'alphabetic';
  pen.fillStyle = ink;
  fit(pen, title, margin, 64, width - 2 * margin, 46, 700);
  fit(pen, `${scale} · ${hour}`, margin, 114, width - 2 * margin, 34, 600);
}

/** Draws the legend and returns where what follows begins. */
function drawLegend(pen: Pen2D, {width, height}: Size, top: number, classes: Caption['classes']): number {
  const columns = width > height || classes.length < 4 ? classes.length : 3;
  const each = (width - 2 * margin) / Math.max(1, columns);
  for (const [i, {name, span, color}] of classes.entries()) {
    const [x, y] = [margin + (i % columns) * each, top + Math.floor(i / columns) * 66];
    pen.fillStyle = color;
    pen.fillRect(x, y, each - 6, 20);
    pen.strokeStyle = '#26323a';
    pen.lineWidth = 1.5;
    pen.strokeRect(x, y, each - 6, 20);
    pen.fillStyle = ink;
    fit(pen, `${name} ${span}`, x, y + 46, each - 10, 22, 600);
  }
  return top + Math.ceil(classes.length / Math.max(1, columns)) * 66;
}

function drawFoot(pen: Pen2D, {width, height}: Size, top: number, caption: Caption): void {
  const room = width - 2 * margin;
  pen.fillStyle = ink;
  fit(pen, caption.summary, margin, top + 24, room, 24, 600);
  pen.fillStyle = soft;
  const facts = [`${caption.estimated}.`, `${caption.definition}.`, `${caption.source}.`, [caption.licence, caption.address].filter(Boolean).join(' · ')];
  const lines = width > height ? [facts.slice(0, 2).join(' '), facts.slice(2).join(' ')] : [facts.slice(0, 2).join(' '), facts[2] ?? '', facts[3] ?? ''];
  for (const [i, line] of lines.entries()) fit(pen, line, margin, top + 58 + 30 * i, room, 20, 400);
}

/** Writes a line, smaller if it would not fit; it is never cut. */
function fit(pen: Pen2D, text: string, x: number, y: number, room: number, px: number, weight: number): void {
  pen.font = font(px, weight);
  const wide = pen.measureText(text).width;
  if (wide > room) pen.font = font((px * room) / wide, weight);
  pen.fillText(text, x, y);
}

/** The name of the file: the hour and the scale, in characters that every system takes. */
export function fileName(scale: string, time: string): string {
  return `nhip-${scale.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${time.replace(/:\d\d(\.\d+)?Z$/, '').replaceAll(/[^0-9T]/g, '')}.png`;
}
