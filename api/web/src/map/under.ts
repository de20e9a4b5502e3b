import type {Map as MapLibre, MapMouseEvent} from 'maplibre-gl';

import type {LonLat} from '../core/contract.ts';

/** The box around a tap within which things are meant, px. */
const finger = 22;

/** Features of layers within a finger of a tap, nearest first. For overlays' `hits`. */
export function under(map: MapLibre, event: MapMouseEvent, layers: string[]): {properties: Record<string, unknown>; at: LonLat}[] {
  const {x, y} = event.point;
  const half = finger / 2;
  const there = layers.filter((id) => map.getLayer(id));
  if (there.length === 0) return [];
  return map.queryRenderedFeatures([[x - half, y - half], [x + half, y + half]], {layers: there})
    .map(({geometry, properties}) => {
      const at = geometry.type === 'Point' ? (geometry.coordinates as [number, number]) : ([event.lngLat.lng, event.lngLat.lat] as [number, number]);
      return {properties: properties as Record<string, unknown>, at, far: map.project(at).dist(event.point)};
    })
    .toSorted((a, b) => a.far - b.far);
}
