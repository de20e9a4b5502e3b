import {Map as MapLibre, type StyleSpecification} from 'maplibre-gl';

import {centerOf, tilesOf, type View} from './picture-view.ts';

/** How long the map of a picture may take, ms. */
const patience = 20_000;

/** Paints the map of a view from a style, off the screen; undefined if the browser can't, or it takes too long. */
export async function paintMap(style: StyleSpecification, view: View, box: {width: number; height: number}): Promise<HTMLCanvasElement | undefined> {
  const container = document.createElement('div');
  container.className = 'picture-map';
  container.style.width = `${box.width}px`;
  container.style.height = `${box.height}px`;
  document.body.append(container);
  let map: MapLibre | undefined;
  try {
    map = new MapLibre({
      container, style, center: centerOf(view, box), zoom: view.zoom, interactive: false, attributionControl: false, fadeDuration: 0,
      pixelRatio: 1, canvasContextAttributes: {preserveDrawingBuffer: true},
      transformRequest: (url) => ({url: url.startsWith('pmtiles:') ? url : new URL(url, location.href).href}),
    });
    const drawn = await idle(map);
    if (!drawn) return undefined;
    const copy = document.createElement('canvas');
    copy.width = box.width;
    copy.height = box.height;
    copy.getContext('2d')?.drawImage(map.getCanvas(), 0, 0, box.width, box.height);
    return copy;
  } catch {
    return undefined;
  } finally {
    map?.remove();
    container.remove();
  }
}

function idle(map: MapLibre): Promise<boolean> {
  return new Promise((resolve) => {
    map.once('idle', () => resolve(true));
    setTimeout(() => resolve(false), patience);
  });
}

/** Paints the field alone, tile by tile, where there is no map: tiles that do not come stay blank. */
export async function paintField(pen: CanvasRenderingContext2D, view: View, box: {x: number; y: number; width: number; height: number}, tile: (z: number, x: number, y: number) => string): Promise<void> {
  await Promise.all(tilesOf(view, box).map(async ({z, x, y, left, top, size}) => {
    const image = new Image();
    image.src = tile(z, x, y);
    try {
      await image.decode();
      pen.drawImage(image, box.x + left, box.y + top, size, size);
    } catch {
      // an empty tile
    }
  }));
}
