import type {ExpressionSpecification, GeoJSONSource, LayerSpecification, Map as MapLibre, MapMouseEvent} from 'maplibre-gl';

import type {Hit, Overlay} from '../app/scene.ts';
import type {LonLat} from '../core/contract.ts';
import {BusPainter, type Canvas} from './bus-painter.ts';
import {type Bus, certainty, type Fleet, lineOf} from './fleet.ts';
import {headingOf, lineLabel, lookOf, pictureId} from './marker.ts';
import type {Theme} from './theme.ts';
import {under} from './under.ts';

const source = 'nhip-buses';

/** From this zoom on buses are badges as far as they have room; the others, and all below it, are dots. Where a view shows
 * only some buses, as those of a line, they are badges at every zoom: dots would look like its stops. */
const numbered = 13;
const lowest = 9;

export type Points = GeoJSON.FeatureCollection<GeoJSON.Point>;

/** The figures of a crowding, 0 to 3 filled, of a number of GTFS-realtime; undefined: unknown. */
export function figures(occupancy: number | null): number | undefined {
  if (occupancy === null || occupancy < 0 || occupancy > 6) return undefined;
  return [0, 1, 2, 3, 3, 3, 3][occupancy];
}

/** The buses of the stream. */
export class BusOverlay implements Overlay {
  readonly #fleet: Fleet;
  readonly #painter: BusPainter;
  #map: MapLibre | undefined;
  #wants: ((bus: Bus) => boolean) | undefined;
  #chosen: ReadonlySet<string> = new Set();
  readonly #taps: {label(bus: Bus): string; open(bus: Bus): void};

  /** @param taps what a tap on a bus does, and how it is called if several things lie under a finger */
  constructor(fleet: Fleet, taps: {label(bus: Bus): string; open(bus: Bus): void}) {
    this.#fleet = fleet;
    this.#taps = taps;
    const canvas: Canvas = {
      wants: (bus) => !this.#wants || this.#wants(bus),
      inView: (at) => this.#inView(at),
      show: (points) => this.#map?.getSource<GeoJSONSource>(source)?.setData(points),
      point: (bus, at) => busPoint(bus, at, this.#chosen.has(bus.key), this.#wants !== undefined),
    };
    this.#painter = new BusPainter(fleet, canvas);
  }

  /** Shows only some buses, and some of them above all others. */
  only(wants: ((bus: Bus) => boolean) | undefined, chosen: ReadonlySet<string> = new Set()): void {
    [this.#wants, this.#chosen] = [wants, chosen];
    this.wake();
  }

  /** A bus, its state or the view has changed. */
  readonly wake = (): void => void (this.#map && this.#painter.wake());

  add(map: MapLibre, theme: Theme): void {
    this.#map = map;
    map.addSource(source, {type: 'geojson', data: {type: 'FeatureCollection', features: []}, buffer: 64, maxzoom: 16});
    for (const layer of busLayers(theme)) map.addLayer(layer);
    map.on('move', this.wake);
    this.wake();
  }

  remove(map: MapLibre): void {
    map.off('move', this.wake);
    for (const {id} of busLayers()) if (map.getLayer(id)) map.removeLayer(id);
    if (map.getSource(source)) map.removeSource(source);
    this.#map = undefined;
  }

  hits(map: MapLibre, event: MapMouseEvent): Hit[] {
    return under(map, event, ['nhip-bus', 'nhip-bus-few', 'nhip-bus-dot']).flatMap(({properties}) => {
      const bus = this.#fleet.get(String(properties['key']));
      return bus ? [{rank: 1, key: `bus ${bus.key}`, label: this.#taps.label(bus), open: () => this.#taps.open(bus)}] : [];
    });
  }

  #inView(at: LonLat): boolean {
    const map = this.#map;
    if (!map) return false;
    const {x, y} = map.project([at[0], at[1]]);
    const {clientWidth, clientHeight} = map.getContainer();
    const beyond = 60;
    return x > -beyond && y > -beyond && x < clientWidth + beyond && y < clientHeight + beyond;
  }
}

/** A bus as a point of its source, at `at`, `few` if the view shows only some. Which badge gives way: the chosen last, then told, inferred, silent ones. */
export function busPoint(bus: Bus, at: LonLat, chosen = false, few = false): GeoJSON.Feature<GeoJSON.Point> {
  const certain = certainty(bus.info);
  const look = lookOf(bus.state, certain);
  const full = bus.state === 'live' ? figures(bus.occupancy) : undefined;
  const picture = {look, line: lineLabel(lineOf(bus.info)), heading: look === 'stale' ? undefined : headingOf(bus.bearing), full: undefined};
  return {
    type: 'Feature',
    id: bus.number,
    geometry: {type: 'Point', coordinates: [at[0], at[1]]},
    properties: {
      key: bus.key,
      look: certain === 'unknown' && look !== 'stale' ? 'unknown' : look,
      ...(few ? {few} : {}),
      order: chosen ? 0 : {sure: 1, likely: 2, stale: 3}[look],
      ...(certain === 'unknown' ? {} : {picture: pictureId(picture), close: pictureId({...picture, full})}),
    },
  };
}

/** A color by the look of a bus. */
const look = (stale: string, likely: string, sure: string): ExpressionSpecification => ['match', ['get', 'look'], 'stale', stale, 'likely', likely, 'unknown', likely, sure];

/** The layers of buses; without a theme only their ids matter. */
export function busLayers(theme?: Theme): LayerSpecification[] {
  const size: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], numbered, 0.85, 15, 1];
  const [bus, halo, ink, fill] = [theme?.bus ?? '', theme?.halo ?? '', theme?.staleInk ?? '', theme?.staleFill ?? ''];
  return [
    {id: 'nhip-bus-dot', type: 'circle', source, minzoom: lowest, layout: {'circle-sort-key': ['-', 3, ['get', 'order']]}, paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], lowest, 2.5, numbered, 4, 15, 5],
      'circle-color': look(fill, halo, bus), 'circle-stroke-color': look(ink, bus, halo), 'circle-stroke-width': 1.5,
    }},
    {id: 'nhip-bus-few', type: 'symbol', source, minzoom: lowest, maxzoom: numbered, filter: ['all', ['has', 'picture'], ['has', 'few']], layout: {
      'icon-image': ['get', 'picture'], 'icon-size': 0.85, 'icon-padding': 0, 'symbol-sort-key': ['get', 'order'],
    }},
    {id: 'nhip-bus', type: 'symbol', source, minzoom: numbered, filter: ['has', 'picture'], layout: {
      'icon-image': ['step', ['zoom'], ['get', 'picture'], 15, ['get', 'close']], 'icon-size': size, 'icon-padding': 0, 'symbol-sort-key': ['get', 'order'],
    }},
  ];
}
