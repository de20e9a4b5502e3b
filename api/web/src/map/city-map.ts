import {AttributionControl, type ErrorEvent, type LngLatLike, Map as MapLibre, type MapMouseEvent, type PaddingOptions, setWorkerUrl} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';

import {type Hit, type Overlay, type Scene, seen} from '../app/scene.ts';
import {replaceQuery} from '../app/route.ts';
import type {MapInfo, TileVersions} from '../core/contract.ts';
import {type BaseMap, openBaseMap} from './base-map.ts';
import {networkLayers, networkSource, networkTiles, ownGround, stopLayers} from './ground.ts';
import {painters, pixelRatio} from './marker.ts';
import {dark, light, type Theme} from './theme.ts';
import {TileRetries} from './tile-retries.ts';

setWorkerUrl(workerUrl);

/** How long a configured base map may take, in ms, before our own one replaces it. */
const patience = 20_000;

/** At most so many things are offered if several lie under a finger. */
const mostHits = 5;

/** Events of the map. */
export interface Taps {
  /** What is under a tap, best first; at least one. */
  chosen(hits: Hit[]): void;
  failed(what: 'styleFailed' | 'networkFailed'): void;
}

/** The map: a base map, the overlays of a scene on it, and the meaning of a tap. */
export class CityMap {
  readonly map: MapLibre;
  readonly #taps: Taps;
  readonly #retries: TileRetries;
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  #style: string | null;
  #base: BaseMap | undefined;
  #scene: Scene = {overlays: []};
  #dressed = false;
  #versions: TileVersions | undefined;

  /** Throws if the browser has no WebGL 2. */
  constructor(container: HTMLElement, info: MapInfo, taps: Taps) {
    this.#taps = taps;
    this.#style = info.style;
    const at = readCamera(new URLSearchParams(location.search).get('c'));
    this.map = new MapLibre({
      container, center: at?.center ?? [...info.center], zoom: at?.zoom ?? 14, minZoom: 8, maxZoom: 18, style: this.#ground(),
      attributionControl: false, fadeDuration: 0, maxPitch: 0, dragRotate: false, pitchWithRotate: false,
      // The worker needs absolute URLs of tiles. Tiles in a file have their own scheme.
      transformRequest: (url) => ({url: url.startsWith('pmtiles:') ? url : new URL(url, location.href).href}),
    });
    this.#retries = new TileRetries(this.map);
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new AttributionControl({compact: true, customAttribution: info.attribution}), 'bottom-left');
    this.#listen();
    this.#fixedCamera = at !== undefined;
    if (info.pmtiles !== undefined) void this.#lay(info.pmtiles);
  }

  /** The address says where to look, so that the first scene does not. */
  #fixedCamera: boolean;

  /** The colors of the map: those of the scene's ground, or of the system. */
  get theme(): Theme {
    return this.#scheme.matches && this.#scene.ground !== 'light' ? dark : light;
  }

  /** The scene's overlays are on the map. */
  get loaded(): boolean {
    return this.#dressed;
  }

  /** Shows a scene instead of the present one. Overlays that both have stay untouched. */
  show(scene: Scene): void {
    const [before, theme] = [this.#scene, this.theme];
    this.#scene = scene;
    if (this.theme !== theme) this.#setStyle();
    else if (this.#dressed) {
      for (const overlay of before.overlays) if (!scene.overlays.includes(overlay)) overlay.remove(this.map);
      for (const overlay of scene.overlays) if (!before.overlays.includes(overlay)) overlay.add(this.map, this.theme);
    }
    if (scene.camera && scene.camera !== before.camera) this.#look(scene.camera);
  }

  #look(camera: NonNullable<Scene['camera']>): void {
    if (this.#fixedCamera) return void (this.#fixedCamera = false);
    const still = document.documentElement.dataset['still'] === 'true' || !this.#dressed;
    if ('bounds' in camera) {
      const [west, south, east, north] = camera.bounds;
      this.map.fitBounds([[west, south], [east, north]], {padding: this.#padding(), maxZoom: camera.maxZoom ?? 15.5, animate: !still, maxDuration: 1500});
    } else {
      const to = {center: camera.center as LngLatLike, zoom: camera.zoom};
      if (still) this.map.jumpTo(to);
      else this.map.flyTo({...to, maxDuration: 1500});
    }
  }

  #padding(): PaddingOptions {
    const {clientHeight, clientWidth} = this.map.getContainer();
    const y = Math.min(40, clientHeight / 6);
    const x = Math.min(40, clientWidth / 8);
    return {top: y, bottom: y, left: x, right: x};
  }

  /** The container has another size. */
  resized(): void {
    requestAnimationFrame(() => this.map.resize());
  }

  /** Names what MapLibre labels once, in the language of the app. */
  name({canvas, attribution}: {canvas: string; attribution: string}): void {
    const container = this.map.getContainer();
    container.querySelector('.maplibregl-canvas')?.setAttribute('aria-label', canvas);
    const button = container.querySelector('.maplibregl-ctrl-attrib-button');
    button?.setAttribute('aria-label', attribution);
    button?.setAttribute('title', attribution);
  }

  /** Loads tiles of another version anew: the timetable's. Those of the air are the air views' to renew. */
  tilesRenewed(versions: TileVersions): void {
    const before = this.#versions;
    this.#versions = versions;
    if (before && before.transit !== versions.transit && this.#dressed) this.#setStyle();
  }

  /** Loads the base map as soon as it can be read. */
  async #lay(path: string): Promise<void> {
    try {
      this.#base = await openBaseMap(path);
      this.#setStyle();
    } catch (error) {
      console.warn('no base map', error);
      this.#taps.failed('styleFailed');
    }
  }

  #ground(): string | ReturnType<typeof ownGround> {
    return this.#style ?? ownGround(this.theme, location.origin, this.#base);
  }

  #setStyle(): void {
    this.#dressed = false;
    this.map.setStyle(this.#ground(), {diff: false});
  }

  #listen(): void {
    const {map} = this;
    map.setMissingStyleImageResolver((id) => {
      if (map.hasImage(id)) return;
      for (const painter of painters) {
        const image = painter(id, this.theme);
        if (image) return void map.addImage(id, image, {pixelRatio});
      }
    });
    map.on('style.load', () => this.#dress());
    map.on('error', (event) => this.#failed(event));
    map.on('click', (event) => this.#tapped(event));
    map.on('mousemove', (event) => map.getCanvas().classList.toggle('pointing', this.#hits(event).length > 0));
    map.on('moveend', (event) => this.#moved((event as {originalEvent?: unknown}).originalEvent !== undefined));
    map.on('resize', () => this.#moved(false));
    this.#scheme.addEventListener('change', () => this.#setStyle());
    new ResizeObserver(() => map.resize()).observe(map.getContainer());
    if (this.#style !== null) setTimeout(() => this.#fallBack(), patience);
  }

  /** Adds the overlays to a new style. */
  #dress(): void {
    const {map, theme} = this;
    if (this.#style !== null) {
      map.addSource(networkSource, networkTiles(location.origin));
      for (const layer of [...networkLayers(theme, true), ...stopLayers(theme)]) map.addLayer(layer);
    }
    for (const overlay of this.#scene.overlays) overlay.add(map, theme);
    map.getContainer().querySelector('.maplibregl-compact-show')?.classList.remove('maplibregl-compact-show');
    this.#dressed = true;
    this.#moved(false);
  }

  /** Only a camera that the rider chose goes into the address, and rounded: it must not tell where they are. */
  #moved(byRider: boolean): void {
    const bounds = this.map.getBounds();
    const {lng, lat} = this.map.getCenter();
    const zoom = this.map.getZoom();
    seen.set({bbox: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()], zoom, center: [lng, lat]});
    if (byRider) replaceQuery({c: `${lat.toFixed(3)},${lng.toFixed(3)},${zoom.toFixed(1)}`});
  }

  #failed(event: ErrorEvent & {sourceId?: string}): void {
    if (this.#retries.take(event)) return;
    console.warn('the map met an error', event.error);
    if (!this.#dressed) this.#fallBack();
    else if (event.sourceId === networkSource) this.#taps.failed('networkFailed');
  }

  /** Uses our own base map if the configured style does not load. */
  #fallBack(): void {
    if (this.#dressed || this.#style === null) return;
    this.#style = null;
    this.#setStyle();
    this.#taps.failed('styleFailed');
  }

  #tapped(event: MapMouseEvent): void {
    const hits = this.#hits(event);
    if (hits.length > 0) this.#taps.chosen(hits);
    else this.#scene.bare?.([event.lngLat.lng, event.lngLat.lat]);
  }

  /** What is meant by a tap: all of the best rank, without doubles. */
  #hits(event: MapMouseEvent): Hit[] {
    if (!this.#dressed) return [];
    const all = this.#scene.overlays.flatMap((overlay: Overlay) => overlay.hits?.(this.map, event) ?? []);
    const best = Math.min(...all.map(({rank}) => rank));
    const of = new Map(all.filter(({rank}) => rank === best).map((hit) => [hit.key, hit]));
    return [...of.values()].slice(0, mostHits);
  }
}

/** Reads `lat,lon,zoom` of an address; undefined if it is not one. */
export function readCamera(text: string | null): {center: [number, number]; zoom: number} | undefined {
  const [lat = NaN, lon = NaN, zoom = NaN] = (text ?? '').split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (!(Math.abs(lat) <= 85 && Math.abs(lon) <= 180 && zoom >= 0 && zoom <= 22)) return undefined;
  return {center: [lon, lat], zoom};
}
