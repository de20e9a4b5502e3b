import type {ExpressionSpecification, LayerSpecification, SourceSpecification} from 'maplibre-gl';

import type {LonLat, Quantity} from './contract.ts';
import {type Bus, lineOf} from './fleet.ts';
import {lineLabel, pictureId} from './marker.ts';
import type {Monitor} from './monitors.ts';
import {showable, stepOf} from './scale.ts';
import type {Theme} from './theme.ts';

// The layers on top of any base map: stations, buses, and the marks of the selection.

export const busSource = 'nhip-buses';
export const stationSource = 'nhip-stations';
export const markSource = 'nhip-marks';

/** The layers whose features can be tapped. */
export const tappable = ['nhip-bus', 'nhip-bus-dot', 'nhip-station'];

/** From this zoom on buses show their line; below it there is room for dots only. */
const numbered = 11.5;

export type Points = GeoJSON.FeatureCollection<GeoJSON.Point>;

export const nothing: Points = {type: 'FeatureCollection', features: []};

/** Points do not need the defaults' wide tile buffer, but icons need theirs: 64 of 512 px. */
export function overlaySources(): Record<string, SourceSpecification> {
  const points = {type: 'geojson', data: nothing, buffer: 64, maxzoom: 16} as const;
  return {[markSource]: points, [busSource]: points, [stationSource]: points};
}

/** From bottom to top. Stations are few and lie above buses, which would hide their values. */
export function overlayLayers(theme: Theme): LayerSpecification[] {
  return [...markLayers(theme), ...busLayers(theme), ...stationLayers()];
}

function markLayers(theme: Theme): LayerSpecification[] {
  return [
    {id: 'nhip-place-halo', type: 'circle', source: markSource, filter: ['==', ['get', 'kind'], 'place'], paint: {'circle-radius': 20, 'circle-color': theme.place, 'circle-opacity': 0.16}},
    {id: 'nhip-place', type: 'circle', source: markSource, filter: ['==', ['get', 'kind'], 'place'], paint: {'circle-radius': 7, 'circle-color': theme.place, 'circle-stroke-color': theme.halo, 'circle-stroke-width': 2.5}},
    {id: 'nhip-chosen', type: 'circle', source: markSource, filter: ['==', ['get', 'kind'], 'chosen'], paint: {'circle-radius': 26, 'circle-color': theme.chosen, 'circle-opacity': 0.14, 'circle-stroke-color': theme.chosen, 'circle-stroke-width': 2.5}},
  ];
}

function stationLayers(): LayerSpecification[] {
  return [
    {id: 'nhip-station', type: 'symbol', source: stationSource, layout: {
      'icon-image': ['get', 'picture'], 'icon-allow-overlap': true, 'icon-ignore-placement': true,
      'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.7, 12, 0.9, 15, 1.05],
      'symbol-sort-key': ['get', 'order'],
    }},
  ];
}

function busLayers(theme: Theme): LayerSpecification[] {
  const symbol = {type: 'symbol', source: busSource, minzoom: numbered} as const;
  const size: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], numbered, 0.72, 14, 0.92, 16, 1.05];
  const order: ExpressionSpecification = ['get', 'order'];
  const overlap = {'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': order} as const;
  return [
    {id: 'nhip-bus-dot', type: 'circle', source: busSource, maxzoom: numbered, paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 8, 2, numbered, 4.5],
      'circle-color': ['case', ['get', 'stale'], theme.staleFill, theme.bus],
      'circle-stroke-color': ['case', ['get', 'stale'], theme.staleInk, theme.halo],
      'circle-stroke-width': 1.2,
    }},
    {...symbol, id: 'nhip-bus-arrow', filter: ['has', 'bearing'], layout: {
      ...overlap, 'icon-image': ['get', 'arrow'], 'icon-size': size,
      'icon-rotate': ['get', 'bearing'], 'icon-rotation-alignment': 'map',
    }},
    {...symbol, id: 'nhip-bus', layout: {...overlap, 'icon-image': ['get', 'picture'], 'icon-size': size}},
  ];
}

/** A bus as a point of its source, at `at`. Live buses lie above stale ones. */
export function busPoint(bus: Bus, at: LonLat): GeoJSON.Feature<GeoJSON.Point> {
  const {state, said} = bus;
  return {
    type: 'Feature',
    id: bus.number,
    geometry: {type: 'Point', coordinates: [at[0], at[1]]},
    properties: {
      key: bus.key,
      picture: pictureId({kind: 'bus', state, line: lineLabel(lineOf(said))}),
      arrow: pictureId({kind: 'arrow', state}),
      stale: state === 'stale',
      order: state === 'live' ? 1 : 0,
      ...(said.bearing === undefined ? {} : {bearing: said.bearing}),
    },
  };
}

/** A station as a point of its source; undefined if it has no position. */
export function stationPoint(monitor: Monitor, quantity: Quantity, round: (value: number) => string): GeoJSON.Feature<GeoJSON.Point> | undefined {
  const {geometry, properties} = monitor.feature;
  if (!geometry) return undefined;
  const value = properties.values[quantity];
  const known = showable(value);
  const text = known ? round(value.value) + (value.flag === 3 ? '?' : '') : '–';
  const step = known ? stepOf(quantity, value.value) : undefined;
  // An instrument may be silent while others of its station report: its value is not live.
  const state = known && value.state === 'stale' ? 'stale' : monitor.state;
  return {
    type: 'Feature',
    id: monitor.number,
    geometry: {type: 'Point', coordinates: [geometry.coordinates[0], geometry.coordinates[1]]},
    properties: {
      station: properties.id,
      picture: pictureId({kind: 'station', state, step, text}),
      order: (step ?? -1) + (state === 'live' ? 10 : 0),
    },
  };
}
