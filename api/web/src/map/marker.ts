import type {State} from '../core/contract.ts';
import type {Theme} from './theme.ts';

// The map's symbols are drawn here instead of taken from a sprite: they contain a line's number, and text drawn as an
// image needs no glyph server. The id of an image contains everything needed to draw it; the map requests the images
// that it lacks.

/** The content of an image: a bus with its number, a nose that tells its bearing, and figures of its crowding. */
export interface Picture {
  look: Look;
  line: string;
  heading: number | undefined;
  /** How many of three figures are filled; undefined: none are drawn. */
  full: number | undefined;
}

/** The nose points in so many directions. */
const headings = 16;

/** Returns the direction of the nose that is nearest to a bearing in degrees. */
export function headingOf(bearing: number | null): number | undefined {
  return bearing === null ? undefined : (Math.round((bearing / 360) * headings) + headings) % headings;
}

/** Filled, outlined, or grey and dashed. */
export type Look = 'sure' | 'likely' | 'stale';

/** Image pixels per page pixel. */
export const pixelRatio = 2;

const prefix = 'nhip-bus';

/** Draws images of others by their ids; the first that returns one is used. Ids have a prefix of their own. */
export const painters: ((id: string, theme: Theme) => ImageData | undefined)[] = [(id, theme) => {
  const picture = readPictureId(id);
  return picture && paintBus(picture, theme);
}];

/** Returns the id of an image. */
export function pictureId({look, line, heading, full}: Picture): string {
  return [prefix, look, encodeURIComponent(line), heading ?? '', full ?? ''].join('|');
}

/** Parses the id of an image; undefined if it is not one of ours. */
export function readPictureId(id: string): Picture | undefined {
  const [mine, look, line = '', heading = '', full = ''] = id.split('|');
  if (mine !== prefix || (look !== 'sure' && look !== 'likely' && look !== 'stale')) return undefined;
  return {look, line: decodeURIComponent(line), heading: heading === '' ? undefined : Number(heading), full: full === '' ? undefined : Number(full)};
}

/** How a bus looks. */
export function lookOf(state: State, certain: 'sure' | 'likely' | 'unknown'): Look {
  return state === 'stale' ? 'stale' : certain === 'sure' ? 'sure' : 'likely';
}

/** The label of a bus without a line. */
const noLine = '•';

/** The label of a bus: the first five characters of its line, or a dot. */
export function lineLabel(line: string | undefined): string {
  const signs = [...(line ?? '').trim()];
  if (signs.length === 0) return noLine;
  return signs.length <= 5 ? signs.join('') : `${signs.slice(0, 4).join('')}…`;
}

/** The font of symbols. */
export const font = (px: number): string => `700 ${px}px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`;

function paintBus({line, look, heading, full}: Picture, theme: Theme): ImageData {
  const height = 22;
  const margin = full !== undefined ? 17 : heading === undefined ? 3 : 11; // room for the halo, the nose and the figures
  const width = Math.max(26, Math.ceil(widthOf(line, font(12.5))) + 12);
  const pen = canvas(width + 2 * margin, height + 2 * margin);
  const sure = look === 'sure';
  const [edge, mid, middle] = [look === 'stale' ? theme.staleInk : theme.bus, margin + width / 2, margin + height / 2];
  if (heading !== undefined) paintNose(pen, mid, middle, (heading / headings) * 2 * Math.PI, [width / 2, height / 2], edge, theme.halo);
  pen.beginPath();
  pen.roundRect(margin - 1, margin - 1, width + 2, height + 2, 7);
  pen.fillStyle = theme.halo;
  pen.fill();
  pen.beginPath();
  pen.roundRect(margin + 1, margin + 1, width - 2, height - 2, 6);
  pen.fillStyle = sure ? theme.bus : look === 'stale' ? theme.staleFill : theme.halo;
  pen.fill();
  pen.lineWidth = 2;
  pen.setLineDash(look === 'stale' ? [3, 2.5] : []);
  pen.strokeStyle = edge;
  pen.stroke();
  write(pen, line, font(12.5), sure ? theme.busInk : edge, mid, middle);
  if (full !== undefined) paintCrowd(pen, mid - 17, middle + height / 2 + 3, full, theme);
  return pixels(pen);
}

/** The nose of a bearing: a tip that sticks out of the badge where a ray from its middle leaves it. */
function paintNose(pen: OffscreenCanvasRenderingContext2D, x: number, y: number, angle: number, [halfWidth, halfHeight]: [number, number], fill: string, halo: string): void {
  const [east, south] = [Math.sin(angle), -Math.cos(angle)];
  const edge = Math.min(halfWidth / Math.max(Math.abs(east), 1e-6), halfHeight / Math.max(Math.abs(south), 1e-6));
  pen.save();
  pen.translate(x + east * edge, y + south * edge);
  pen.rotate(angle);
  pen.beginPath();
  pen.moveTo(0, -9);
  pen.lineTo(7, 3);
  pen.lineTo(-7, 3);
  pen.closePath();
  pen.lineJoin = 'round';
  pen.lineWidth = 3;
  pen.strokeStyle = halo;
  pen.stroke();
  pen.fillStyle = fill;
  pen.fill();
  pen.restore();
}

/** Three figures, of which as many are filled as the bus is crowded. */
function paintCrowd(pen: OffscreenCanvasRenderingContext2D, left: number, top: number, full: number, theme: Theme): void {
  for (let i = 0; i < 3; i++) {
    const x = left + 6 + 11 * i;
    pen.beginPath();
    pen.arc(x, top + 3.5, 2.4, 0, 2 * Math.PI);
    pen.moveTo(x + 4, top + 12);
    pen.arc(x, top + 12, 4, 0, Math.PI, true);
    pen.closePath();
    pen.setLineDash([]);
    pen.lineWidth = 3;
    pen.strokeStyle = theme.halo;
    pen.stroke();
    pen.fillStyle = i < full ? theme.bus : theme.halo;
    pen.fill();
    pen.lineWidth = 1.2;
    pen.strokeStyle = theme.bus;
    pen.stroke();
  }
}

/** A canvas in page pixels. */
export function canvas(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const pen = new OffscreenCanvas(width * pixelRatio, height * pixelRatio).getContext('2d');
  if (!pen) throw new Error('this browser has no 2D canvas');
  pen.scale(pixelRatio, pixelRatio);
  return pen;
}

export function pixels(pen: OffscreenCanvasRenderingContext2D): ImageData {
  return pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height);
}

export function widthOf(text: string, textFont: string): number {
  const pen = canvas(1, 1);
  pen.font = textFont;
  return pen.measureText(text).width;
}

export function write(pen: OffscreenCanvasRenderingContext2D, text: string, textFont: string, ink: string, x: number, y: number): void {
  pen.font = textFont;
  pen.fillStyle = ink;
  pen.textAlign = 'center';
  const box = pen.measureText('0'); // centred by a digit, because letters with diacritics would sit lower
  pen.fillText(text, x, y + (box.actualBoundingBoxAscent - box.actualBoundingBoxDescent) / 2);
}
