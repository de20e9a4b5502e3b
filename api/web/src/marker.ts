import type {State} from './contract.ts';
import {colors} from './scale.ts';
import type {Theme} from './theme.ts';

// The map's symbols are drawn here instead of taken from a sprite: they contain a line's number or a
// station's value, and text drawn as an image needs no glyph server. The id of an
// image contains everything needed to draw it; the map requests the images that it lacks.

/** The content of an image. */
export type Picture =
  | {kind: 'bus'; state: State; line: string}
  | {kind: 'arrow'; state: State}
  | {kind: 'station'; state: State; step: number | undefined; text: string};

/** Image pixels per page pixel. */
export const pixelRatio = 2;

const prefix = 'nhip';

/** Returns the id of an image. */
export function pictureId(picture: Picture): string {
  switch (picture.kind) {
    case 'bus':
      return [prefix, 'bus', picture.state, encodeURIComponent(picture.line)].join('|');
    case 'arrow':
      return [prefix, 'arrow', picture.state].join('|');
    case 'station':
      return [prefix, 'station', picture.state, picture.step ?? '', encodeURIComponent(picture.text)].join('|');
  }
}

/** Parses the id of an image; undefined if it is not one of ours. */
export function readPictureId(id: string): Picture | undefined {
  const [mine, kind, state, a = '', b = ''] = id.split('|');
  if (mine !== prefix || (state !== 'live' && state !== 'stale')) return undefined;
  if (kind === 'bus') return {kind, state, line: decodeURIComponent(a)};
  if (kind === 'arrow') return {kind, state};
  if (kind !== 'station') return undefined;
  return {kind, state, step: a === '' ? undefined : Number(a), text: decodeURIComponent(b)};
}

/** The label of a bus without a line. */
const noLine = '•';

/** The label of a bus: the first five characters of its line, or a dot. */
export function lineLabel(line: string | undefined): string {
  const signs = [...(line ?? '').trim()];
  if (signs.length === 0) return noLine;
  return signs.length <= 5 ? signs.join('') : `${signs.slice(0, 4).join('')}…`;
}

/** Draws an image. */
export function paint(picture: Picture, theme: Theme): ImageData {
  switch (picture.kind) {
    case 'bus':
      return paintBus(picture.line, picture.state, theme);
    case 'arrow':
      return paintArrow(picture.state, theme);
    case 'station':
      return paintStation(picture, theme);
  }
}

const font = (px: number): string => `700 ${px}px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`;

function paintBus(line: string, state: State, theme: Theme): ImageData {
  const nameless = line === noLine; // without a line: a small circle
  const height = nameless ? 18 : 22;
  const margin = 3; // room for the shadow
  const width = nameless ? height : Math.max(26, Math.ceil(widthOf(line, font(12.5))) + 12);
  const pen = canvas(width + 2 * margin, height + 2 * margin);
  const live = state === 'live';
  pen.shadowColor = theme.shadow;
  pen.shadowBlur = 3 * pixelRatio;
  pen.shadowOffsetY = pixelRatio;
  pen.beginPath();
  pen.roundRect(margin + 1, margin + 1, width - 2, height - 2, nameless ? height / 2 : 7);
  pen.fillStyle = live ? theme.bus : theme.staleFill;
  pen.fill();
  pen.shadowColor = 'transparent';
  pen.lineWidth = 1.5;
  pen.setLineDash(live ? [] : [3, 2.5]);
  pen.strokeStyle = live ? theme.halo : theme.staleInk;
  pen.stroke();
  write(pen, line, font(12.5), live ? theme.busInk : theme.staleInk, margin + width / 2, margin + height / 2);
  return pixels(pen);
}

/** The arrow of a bearing, pointing north: the tip of a wedge that sticks out above the bus. */
function paintArrow(state: State, theme: Theme): ImageData {
  const size = 56;
  const pen = canvas(size, size);
  const mid = size / 2;
  pen.beginPath();
  pen.moveTo(mid, 3);
  pen.lineTo(mid + 8, 15);
  pen.quadraticCurveTo(mid, 11, mid - 8, 15);
  pen.closePath();
  pen.lineJoin = 'round';
  pen.lineWidth = 2.5;
  pen.strokeStyle = theme.halo;
  pen.stroke();
  pen.fillStyle = state === 'live' ? theme.bus : theme.staleInk;
  pen.fill();
  return pixels(pen);
}

function paintStation(picture: Picture & {kind: 'station'}, theme: Theme): ImageData {
  const radius = 16;
  const margin = 4;
  const mid = radius + margin;
  const pen = canvas(2 * mid, 2 * mid);
  const color = picture.step === undefined ? undefined : colors[picture.step];
  const live = picture.state === 'live' && color !== undefined;
  pen.shadowColor = theme.shadow;
  pen.shadowBlur = 4 * pixelRatio;
  pen.shadowOffsetY = pixelRatio;
  circle(pen, mid, radius - 1);
  pen.fillStyle = live ? color.fill : theme.staleFill;
  pen.fill();
  pen.shadowColor = 'transparent';
  pen.lineWidth = 2;
  pen.setLineDash(live ? [] : [4, 3]);
  pen.strokeStyle = live ? theme.rim : theme.staleInk;
  pen.stroke();
  const size = picture.text.length > 3 ? 10.5 : 13;
  write(pen, picture.text, font(size), live ? color.ink : theme.staleInk, mid, mid);
  return pixels(pen);
}

function canvas(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const pen = new OffscreenCanvas(width * pixelRatio, height * pixelRatio).getContext('2d');
  if (!pen) throw new Error('this browser has no 2D canvas');
  pen.scale(pixelRatio, pixelRatio);
  return pen;
}

function pixels(pen: OffscreenCanvasRenderingContext2D): ImageData {
  return pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height);
}

function circle(pen: OffscreenCanvasRenderingContext2D, mid: number, radius: number): void {
  pen.beginPath();
  pen.arc(mid, mid, radius, 0, 2 * Math.PI);
}

function widthOf(text: string, textFont: string): number {
  const pen = canvas(1, 1);
  pen.font = textFont;
  return pen.measureText(text).width;
}

function write(pen: OffscreenCanvasRenderingContext2D, text: string, textFont: string, ink: string, x: number, y: number): void {
  pen.font = textFont;
  pen.fillStyle = ink;
  pen.textAlign = 'center';
  const box = pen.measureText('0'); // centred by a digit, because letters with diacritics would sit lower
  pen.fillText(text, x, y + (box.actualBoundingBoxAscent - box.actualBoundingBoxDescent) / 2);
}
