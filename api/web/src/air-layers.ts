import type {LayerSpecification, SourceSpecification} from 'maplibre-gl';

import type {Quantity} from './contract.ts';
import type {Theme} from './theme.ts';

// The air between the monitors, and buses and stations at a past hour.

export const fieldSource = 'nhip-field';
export const airSource = 'nhip-air';
export const pastBusSource = 'nhip-past-buses';

/** Layers of the present. For a past hour, `pastLayers` replace them. */
export const presentLayers = ['nhip-bus-dot', 'nhip-bus-arrow', 'nhip-bus', 'nhip-station'] as const;
export const pastLayers = ['nhip-past-bus', 'nhip-past-station'] as const;

/** Which air is shown: the quantity, and the hour (undefined: now). */
export interface Air {
  quantity: Quantity;
  time: string | undefined;
  field: boolean;
}

/** URLs of the tiles. */
export function airTiles({quantity, time}: Air, origin: string): {field: string; air: string; buses: string} {
  const when = time === undefined ? '' : `time=${encodeURIComponent(time)}`;
  const of = [`quantity=${quantity}`, ...(when ? [when] : [])].join('&');
  return {
    field: `${origin}/tiles/air/{z}/{x}/{y}@2x.png?${of}`,
    air: `${origin}/tiles/air/{z}/{x}/{y}.mvt?${of}`,
    buses: `${origin}/tiles/transit/{z}/{x}/{y}.mvt${when && `?${when}`}`,
  };
}

/** Until an hour is chosen, the layers of the past are hidden, so their sources request nothing. */
export function airSources(air: Air, origin: string): Record<string, SourceSpecification> {
  const tiles = airTiles(air, origin);
  return {
    [fieldSource]: {type: 'raster', tiles: [tiles.field], tileSize: 512, maxzoom: 14},
    [airSource]: {type: 'vector', tiles: [tiles.air], maxzoom: 14},
    [pastBusSource]: {type: 'vector', tiles: [tiles.buses], maxzoom: 14},
  };
}

/** Layers directly on the base map, below the lines. */
export function fieldLayer({field}: Air): LayerSpecification {
  return {
    id: 'nhip-field', type: 'raster', source: fieldSource, layout: {visibility: field ? 'visible' : 'none'},
    paint: {'raster-fade-duration': 0, 'raster-opacity': 0.85},
  };
}

/** Layers that replace buses and stations at a past hour. */
export function pastCity(theme: Theme, {time}: Air): LayerSpecification[] {
  const layout = {visibility: time === undefined ? 'none' : 'visible'} as const;
  return [
    {id: 'nhip-past-bus', type: 'circle', source: pastBusSource, 'source-layer': 'buses', layout, paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 2.5, 14, 5.5], 'circle-color': ['case', ['==', ['get', 'state'], 'stale'], theme.staleFill, theme.bus],
      'circle-stroke-color': ['case', ['==', ['get', 'state'], 'stale'], theme.staleInk, theme.halo], 'circle-stroke-width': 1.2,
    }},
    {id: 'nhip-past-station', type: 'circle', source: airSource, 'source-layer': 'stations', layout, paint: {
      'circle-radius': ['case', ['has', 'count'], 12, 9], 'circle-color': ['coalesce', ['get', 'color'], theme.staleFill],
      'circle-stroke-color': theme.rim, 'circle-stroke-width': 1.5,
    }},
  ];
}
