import type {GeoJSONSource, LayerSpecification, Map as MapLibre, MapMouseEvent, RasterTileSource, VectorTileSource} from 'maplibre-gl';

import type {Hit, Overlay} from '../app/scene.ts';
import type {LonLat} from '../core/contract.ts';
import {under} from '../map/under.ts';
import {address} from '../core/api.ts';
import {airQuery, type Choice} from './choice.ts';
import {markId, registerMarks} from './station-mark.ts';
import type {Reported} from './stations.ts';

const field = 'nhip-air-field';
const areas = 'nhip-air-areas';
const points = 'nhip-air-points';
const winds = 'nhip-air-winds';
const paper = 'nhip-air-paper';

/** The air lies below the lines, which stay visible on it. */
const below = 'nhip-routes-case';

/** What taps on the air mean. */
export interface Taps {
  station(id: string): {label: string; open(): void};
  zone(kind: string, id: string, names: {vi: string; en: string}): {label: string; open(): void};
}

/** An arrow of the wind at a station. */
export interface Wind {
  at: LonLat;
  /** m/s */
  speed: number;
  /** Degrees that it comes from. */
  from: number;
}

/** What the overlay shows. */
export interface AirShown {
  choice: Choice;
  /** Of which kind areas are drawn; undefined: there are none. */
  zoneKind: string | undefined;
  stations: readonly (Reported & {text: string})[];
  winds: readonly Wind[];
  /** Changes when tiles of the current hour must be loaded anew. */
  version: string;
  chosen: string | undefined;
}

/** The field or the areas, and the stations on them. */
export class AirOverlay implements Overlay {
  readonly #taps: Taps;
  #map: MapLibre | undefined;
  #shown: AirShown | undefined;

  constructor(taps: Taps) {
    this.#taps = taps;
    registerMarks();
  }

  show(shown: AirShown): void {
    const before = this.#shown;
    this.#shown = shown;
    const map = this.#map;
    if (!map) return;
    const [old, now] = [before && tiles(before), tiles(shown)];
    if (old?.field !== now.field) map.getSource<RasterTileSource>(field)?.setTiles([now.field]);
    if (old?.areas !== now.areas) map.getSource<VectorTileSource>(areas)?.setTiles([now.areas]);
    this.#fill(map, shown);
    if (before?.zoneKind !== shown.zoneKind) for (const id of [areas, `${areas}-edge`]) map.setFilter(id, kindFilter(shown.zoneKind));
    for (const [id, seen] of visible(shown)) map.setLayoutProperty(id, 'visibility', seen ? 'visible' : 'none');
  }

  add(map: MapLibre): void {
    this.#map = map;
    const shown = this.#shown;
    if (!shown) return;
    const urls = tiles(shown);
    map.addSource(field, {type: 'raster', tiles: [urls.field], tileSize: 512, maxzoom: 14});
    map.addSource(areas, {type: 'vector', tiles: [urls.areas], maxzoom: 14});
    map.addSource(points, {type: 'geojson', data: empty});
    map.addSource(winds, {type: 'geojson', data: empty});
    // Colors mean the same everywhere only on one ground: on our own base map the air has a plain one.
    if (map.getLayer('nhip-land')) map.addLayer({id: paper, type: 'background', paint: {'background-color': '#f4f5f0'}}, below);
    for (const layer of layers(shown)) map.addLayer(layer, layer.type === 'symbol' || layer.type === 'circle' || !map.getLayer(below) ? undefined : below);
    this.#fill(map, shown);
  }

  remove(map: MapLibre): void {
    this.#map = undefined;
    for (const id of layerIds) if (map.getLayer(id)) map.removeLayer(id);
    for (const id of [field, areas, points, winds]) if (map.getSource(id)) map.removeSource(id);
  }

  hits(map: MapLibre, event: MapMouseEvent): Hit[] {
    const stations = under(map, event, [points]).map(({properties}): Hit => {
      const id = String(properties['id']);
      const {label, open} = this.#taps.station(id);
      return {rank: 3, key: `station ${id}`, label, open};
    });
    if (stations.length > 0 || this.#shown?.choice.ground !== 'zones') return stations;
    return under(map, event, [areas]).map(({properties: p}): Hit => {
      const [kind, id] = [String(p['kind']), String(p['id'])];
      const {label, open} = this.#taps.zone(kind, id, {vi: String(p['name_vi'] ?? ''), en: String(p['name_en'] ?? '')});
      return {rank: 6, key: `zone ${kind}/${id}`, label, open};
    });
  }

  #fill(map: MapLibre, {stations, winds: blowing, chosen}: AirShown): void {
    map.getSource<GeoJSONSource>(points)?.setData({type: 'FeatureCollection', features: stations.flatMap((s) => (s.at ? [pointOf(s, s.at, s.id === chosen)] : []))});
    map.getSource<GeoJSONSource>(winds)?.setData({type: 'FeatureCollection', features: blowing.map(({at, speed, from}) => ({
      type: 'Feature', geometry: {type: 'Point', coordinates: [...at]}, properties: {speed, turn: (from + 180) % 360},
    }))});
  }
}

const empty: GeoJSON.FeatureCollection = {type: 'FeatureCollection', features: []};

function pointOf(s: Reported & {text: string}, at: LonLat, chosen: boolean): GeoJSON.Feature {
  const faint = s.value === undefined;
  return {
    type: 'Feature', geometry: {type: 'Point', coordinates: [...at]}, properties: {
      id: s.id, icon: markId({color: s.level?.color, text: s.text, sensor: s.sensor, doubt: s.doubt}),
      order: chosen ? -1e6 : faint ? 1e6 : -(s.value ?? 0), color: s.level?.color ?? '#eef0f1', size: chosen ? 1.25 : 1,
    },
  };
}

/** The addresses of the tiles. The version makes the current hour's anew when the air has changed. */
function tiles({choice, version}: AirShown): {field: string; areas: string} {
  const v = choice.time === undefined && version ? version : undefined;
  const at = (path: string, withQuantity: boolean): string => {
    const url = address(path, {...airQuery(choice, withQuantity), v});
    return new URL(url, location.origin).href.replaceAll('%7B', '{').replaceAll('%7D', '}');
  };
  return {field: at('/tiles/air/{z}/{x}/{y}@2x.png', true), areas: at('/tiles/air/{z}/{x}/{y}.mvt', true)};
}

function kindFilter(kind: string | undefined): ['==', ['get', 'kind'], string] {
  return ['==', ['get', 'kind'], kind ?? ''];
}

const layerIds = [paper, field, areas, `${areas}-edge`, `${points}-dot`, winds, points] as const;

function visible({choice, zoneKind}: AirShown): [string, boolean][] {
  const zones = choice.ground === 'zones' && zoneKind !== undefined;
  return [
    [field, choice.ground === 'field'], [areas, zones], [`${areas}-edge`, zones],
    [`${points}-dot`, choice.stations], [points, choice.stations], [winds, choice.wind],
  ];
}

/** From this zoom on stations have numbers. */
const numbered = 8.5;

function layers(shown: AirShown): LayerSpecification[] {
  const seen = new Map(visible(shown));
  const visibility = (id: string): {visibility: 'visible' | 'none'} => ({visibility: seen.get(id) ? 'visible' : 'none'});
  const zones = {source: areas, 'source-layer': 'zones', filter: kindFilter(shown.zoneKind)} as const;
  return [
    {id: field, type: 'raster', source: field, layout: visibility(field), paint: {'raster-fade-duration': 250, 'raster-opacity': 0.9}},
    {...zones, id: areas, type: 'fill', layout: visibility(areas), paint: {'fill-color': ['coalesce', ['get', 'color'], '#e3e6e4'], 'fill-opacity': 0.6}},
    {...zones, id: `${areas}-edge`, type: 'line', layout: visibility(`${areas}-edge`), paint: {'line-color': '#26323a', 'line-width': 1}},
    {id: `${points}-dot`, type: 'circle', source: points, layout: visibility(`${points}-dot`), paint: {
      'circle-radius': 5, 'circle-color': ['get', 'color'], 'circle-stroke-color': '#26323a', 'circle-stroke-width': 1.5,
    }},
    {id: winds, type: 'symbol', source: winds, layout: {
      ...visibility(winds), 'text-field': '↑', 'text-font': ['system-ui'], 'text-rotation-alignment': 'map', 'text-rotate': ['get', 'turn'],
      'text-size': ['interpolate', ['linear'], ['get', 'speed'], 0, 16, 10, 40], 'text-offset': [0, -1.2], 'text-allow-overlap': true,
    }, paint: {'text-color': '#16222b', 'text-halo-color': '#ffffff', 'text-halo-width': 1.5}},
    {id: points, type: 'symbol', source: points, minzoom: numbered, layout: {
      ...visibility(points), 'icon-image': ['get', 'icon'], 'icon-size': ['interpolate', ['linear'], ['zoom'], 9.5, ['*', 0.78, ['get', 'size']], 12, ['get', 'size']], 'symbol-sort-key': ['get', 'order'], 'icon-padding': 1,
    }},
  ];
}
