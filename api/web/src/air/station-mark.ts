import {canvas, font, painters, pixels, write} from '../map/marker.ts';
import type {Theme} from '../map/theme.ts';
import {inkOn} from './classes.ts';
import type {Doubt} from './stations.ts';

// The symbol of a station: a circle (reference) or a diamond (sensor) of its class's color with its number. Hatched: under
// review. Grey and dashed: silent. The ground of a map with air is light in both themes, so symbols have one form.

export interface Mark {
  color: string | undefined;
  text: string;
  sensor: boolean;
  doubt: Doubt | undefined;
}

const prefix = 'nhip-air';
const rim = '#26323a';
const grey = {fill: '#eef0f1', ink: '#5a646b'};

/** Returns the id of a mark's image. */
export function markId({color, text, sensor, doubt}: Mark): string {
  return [prefix, color ?? '', encodeURIComponent(text), sensor ? 'sensor' : '', doubt ?? ''].join('|');
}

/** Parses the id of an image; undefined if it is none of ours. */
export function readMark(id: string): Mark | undefined {
  const [mine, color = '', text = '', sensor = '', doubt = ''] = id.split('|');
  if (mine !== prefix) return undefined;
  return {color: color || undefined, text: decodeURIComponent(text), sensor: sensor !== '', doubt: (doubt || undefined) as Doubt | undefined};
}

/** Half the size of a symbol, px. */
export const markRadius = 17;

/** The part of a 2D context that is used; tests and pictures bring their own. */
export type Pen = Pick<CanvasRenderingContext2D, 'beginPath' | 'arc' | 'moveTo' | 'lineTo' | 'closePath' | 'fill' | 'stroke' | 'save' | 'restore' | 'clip' | 'setLineDash' | 'fillStyle' | 'strokeStyle' | 'lineWidth' | 'lineJoin'>;

/** Draws the shape of a mark around a point; the text is the caller's. Returns the color of the text. */
export function drawMark(pen: Pen, {color, sensor, doubt}: Mark, x: number, y: number, radius: number): string {
  const faint = color === undefined || doubt === 'silent' || doubt === 'none';
  const dashed = faint || doubt === 'stale';
  outline(pen, sensor, x, y, radius);
  pen.fillStyle = faint ? grey.fill : (color ?? grey.fill);
  pen.fill();
  if (doubt === 'suspect') hatch(pen, sensor, x, y, radius);
  outline(pen, sensor, x, y, radius);
  pen.setLineDash(dashed ? [radius / 4, radius / 5] : []);
  pen.lineWidth = Math.max(1.6, radius / 8);
  pen.lineJoin = 'round';
  pen.strokeStyle = dashed ? grey.ink : rim;
  pen.stroke();
  pen.setLineDash([]);
  return faint ? grey.ink : inkOn(color ?? '');
}

function outline(pen: Pen, sensor: boolean, x: number, y: number, radius: number): void {
  pen.beginPath();
  if (sensor) {
    const far = radius * 1.16;
    pen.moveTo(x, y - far);
    pen.lineTo(x + far, y);
    pen.lineTo(x, y + far);
    pen.lineTo(x - far, y);
    pen.closePath();
  } else pen.arc(x, y, radius * 0.94, 0, 2 * Math.PI);
}

function hatch(pen: Pen, sensor: boolean, x: number, y: number, radius: number): void {
  pen.save();
  outline(pen, sensor, x, y, radius);
  pen.clip();
  pen.beginPath();
  for (let d = -2 * radius; d < 2 * radius; d += radius / 2.5) {
    pen.moveTo(x + d - radius, y + radius);
    pen.lineTo(x + d + radius, y - radius);
  }
  pen.lineWidth = radius / 10;
  pen.strokeStyle = rim;
  pen.stroke();
  pen.restore();
}

function paintMark(mark: Mark): ImageData {
  const half = Math.ceil(markRadius * 1.16) + 3;
  const pen = canvas(2 * half, 2 * half);
  const ink = drawMark(pen as unknown as Pen, mark, half, half, markRadius);
  if (mark.doubt === 'suspect') {
    pen.lineWidth = 3;
    pen.strokeStyle = mark.color ?? grey.fill;
    pen.font = font(12.5);
    pen.textAlign = 'center';
    pen.strokeText(mark.text, half, half + 4.5);
  }
  write(pen, mark.text, font(mark.text.length > 3 ? 10.5 : 12.5), ink, half, half);
  return pixels(pen);
}

/** Lets the map draw marks by their ids. */
export function registerMarks(): void {
  if (!painters.includes(painter)) painters.push(painter);
}

const painter = (id: string, _theme: Theme): ImageData | undefined => {
  const mark = readMark(id);
  return mark && paintMark(mark);
};
