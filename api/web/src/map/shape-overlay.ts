import type {GeoJSONSource, LayerSpecification, Map as MapLibre, MapMouseEvent} from 'maplibre-gl';

import type {Hit, Overlay} from '../app/scene.ts';
import type {LonLat} from '../core/contract.ts';
import type {Theme} from './theme.ts';
import {under} from './under.ts';

const [ways, points] = ['nhip-ways', 'nhip-points'];

/** What is drawn: ways of lines, stops on them, the chosen stop and the rider's place. */
export interface Shapes {
  ways: (readonly LonLat[])[];
  stops: {id: string; name: string; at: LonLat}[];
  chosen?: LonLat | undefined;
  place?: LonLat | undefined;
}

/** Ways and places of the view in front, below the buses; stops of the network can be tapped, too. */
export class ShapeOverlay implements Overlay {
  #map: MapLibre | undefined;
  #shapes: Shapes = {ways: [], stops: []};
  readonly #open: (stop: string) => void;

  constructor(open: (stop: string) => void) {
    this.#open = open;
  }

  set(shapes: Shapes): void {
    this.#shapes = shapes;
    this.#draw();
  }

  add(map: MapLibre, theme: Theme): void {
    this.#map = map;
    const empty: GeoJSON.FeatureCollection = {type: 'FeatureCollection', features: []};
    map.addSource(ways, {type: 'geojson', data: empty});
    map.addSource(points, {type: 'geojson', data: empty});
    const above = map.getLayer('nhip-bus-dot') ? 'nhip-bus-dot' : undefined;
    for (const layer of shapeLayers(theme)) map.addLayer(layer, above);
    this.#draw();
  }

  remove(map: MapLibre): void {
    for (const {id} of shapeLayers()) if (map.getLayer(id)) map.removeLayer(id);
    for (const id of [ways, points]) if (map.getSource(id)) map.removeSource(id);
    this.#map = undefined;
  }

  hits(map: MapLibre, event: MapMouseEvent): Hit[] {
    const layers = map.getZoom() >= 13.5 ? ['nhip-shape-stops', 'nhip-shape-chosen', 'nhip-stops', 'nhip-stop-names'] : ['nhip-shape-stops'];
    return under(map, event, layers).flatMap(({properties}) => {
      const id = properties['id'];
      return typeof id === 'string' ? [{rank: 2, key: `stop ${id}`, label: String(properties['name'] ?? id), open: () => this.#open(id)}] : [];
    });
  }

  #draw(): void {
    const map = this.#map;
    if (!map) return;
    const {ways: lines, stops, chosen, place} = this.#shapes;
    map.getSource<GeoJSONSource>(ways)?.setData({type: 'FeatureCollection', features: lines.map((way) => ({type: 'Feature', geometry: {type: 'LineString', coordinates: way.map((at) => [...at])}, properties: {}}))});
    map.getSource<GeoJSONSource>(points)?.setData({type: 'FeatureCollection', features: [
      ...stops.map(({id, name, at}) => point(at, {kind: 'stop', id, name})),
      ...(chosen ? [point(chosen, {kind: 'chosen'})] : []),
      ...(place ? [point(place, {kind: 'place'})] : []),
    ]});
  }
}

function point(at: LonLat, properties: Record<string, string>): GeoJSON.Feature {
  return {type: 'Feature', geometry: {type: 'Point', coordinates: [...at]}, properties};
}

const of = (kind: string): ['==', ['get', string], string] => ['==', ['get', 'kind'], kind];

/** The layers of shapes; without a theme only their ids matter. */
export function shapeLayers(theme?: Theme): LayerSpecification[] {
  const [chosen, land, halo, place] = [theme?.chosen ?? '', theme?.land ?? '', theme?.halo ?? '', theme?.place ?? ''];
  const round = {'line-join': 'round', 'line-cap': 'round'} as const;
  return [
    {id: 'nhip-shape-case', type: 'line', source: ways, layout: round, paint: {'line-color': halo, 'line-width': ['interpolate', ['linear'], ['zoom'], 10, 4, 16, 10]}},
    {id: 'nhip-shape', type: 'line', source: ways, layout: round, paint: {'line-color': chosen, 'line-opacity': 0.6, 'line-width': ['interpolate', ['linear'], ['zoom'], 10, 2, 16, 6]}},
    {id: 'nhip-shape-stops', type: 'circle', source: points, filter: of('stop'), minzoom: 11.5, paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 11.5, 1.8, 16, 5], 'circle-color': land, 'circle-stroke-color': chosen, 'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 11.5, 1, 16, 2],
    }},
    {id: 'nhip-shape-place-halo', type: 'circle', source: points, filter: of('place'), paint: {'circle-radius': 18, 'circle-color': place, 'circle-opacity': 0.16}},
    {id: 'nhip-shape-place', type: 'circle', source: points, filter: of('place'), paint: {'circle-radius': 6, 'circle-color': place, 'circle-stroke-color': halo, 'circle-stroke-width': 2.5}},
    {id: 'nhip-shape-chosen', type: 'circle', source: points, filter: of('chosen'), paint: {'circle-radius': 8, 'circle-color': land, 'circle-stroke-color': chosen, 'circle-stroke-width': 4}},
  ];
}
