import type {LayerSpecification, SourceSpecification, StyleSpecification} from 'maplibre-gl';

import type {BaseMap} from './base-map.ts';
import type {Theme} from './theme.ts';

/** Id of the network's source. */
export const networkSource = 'nhip-network';

/** The network's tiles. */
export function networkTiles(origin: string): SourceSpecification {
  return {type: 'vector', url: new URL('/tiles/transit.json', origin).href};
}

/** The paths of the lines, on our own base map and on a configured one. */
export function networkLayers(theme: Theme, onBaseMap: boolean): LayerSpecification[] {
  const way = {type: 'line', source: networkSource, 'source-layer': 'routes', layout: {'line-join': 'round', 'line-cap': 'round'}} as const;
  return [
    {...way, id: 'nhip-routes-case', minzoom: 12, paint: {'line-color': theme.roadCase, 'line-opacity': onBaseMap ? 0 : 1, 'line-width': ['interpolate', ['linear'], ['zoom'], 12, 2.5, 17, 11]}},
    {...way, id: 'nhip-routes', paint: {'line-color': theme.road, 'line-opacity': onBaseMap ? 0.45 : 1, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.8, 12, 1.6, 17, 7]}},
  ];
}

/**
 * Our own base map, from the network alone or on a file that the api serves, without requests to other servers. It sets
 * no glyphs, so MapLibre draws labels with local fonts.
 */
export function ownGround(theme: Theme, origin: string, base?: BaseMap): StyleSpecification {
  return {
    version: 8,
    sources: {...base?.sources, [networkSource]: networkTiles(origin)},
    layers: [
      {id: 'nhip-background', type: 'background', paint: {'background-color': theme.ground}},
      ...(base ? base.layers(theme) : land(theme)),
      ...networkLayers(theme, false),
      ...stopLayers(theme),
    ],
  };
}

function land(theme: Theme): LayerSpecification[] {
  const outline = {source: networkSource, 'source-layer': 'outline'} as const;
  return [
    {...outline, id: 'nhip-land', type: 'fill', paint: {'fill-color': theme.land}},
    {...outline, id: 'nhip-shore', type: 'line', paint: {'line-color': theme.shore, 'line-width': 1.2}},
  ];
}

/** The stops and their names. */
export function stopLayers(theme: Theme): LayerSpecification[] {
  const source = {source: networkSource, 'source-layer': 'stops'} as const;
  return [
    {...source, id: 'nhip-stops', type: 'circle', minzoom: 12.5, paint: {
      'circle-color': theme.land, 'circle-stroke-color': theme.stop,
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 12.5, 1.2, 17, 4.5],
      'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 12.5, 0.8, 17, 2],
    }},
    {...source, id: 'nhip-stop-names', type: 'symbol', minzoom: 15, layout: {
      'text-field': ['get', 'name'], 'text-font': ['system-ui'], 'text-size': 11.5,
      'text-anchor': 'top', 'text-offset': [0, 0.6], 'text-max-width': 9, 'text-optional': true,
    }, paint: {'text-color': theme.label, 'text-halo-color': theme.land, 'text-halo-width': 1.4}},
  ];
}
