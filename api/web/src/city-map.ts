import {AttributionControl, type ErrorEvent, type GeoJSONSource, type LngLatLike, Map as MapLibre, type MapMouseEvent, NavigationControl, type RasterTileSource, ScaleControl, setWorkerUrl, type VectorTileSource} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';

import {type Air, airSource, airSources, airTiles, fieldLayer, fieldSource, pastBusSource, pastCity, pastLayers, presentLayers} from './air-layers.ts';
import {type BaseMap, openBaseMap} from './base-map.ts';
import type {LonLat, MapInfo} from './contract.ts';
import {chosenRoute, networkLayers, networkSource, networkTiles, ownGround} from './ground.ts';
import {paint, pixelRatio, readPictureId} from './marker.ts';
import {busSource, markSource, overlayLayers, overlaySources, type Points, stationSource, tappable} from './overlay.ts';
import type {Theme} from './theme.ts';
import {TileRetries} from './tile-retries.ts';
import type {Tongue} from './i18n.ts';

setWorkerUrl(workerUrl);

/** How far from a feature a tap still selects it, and how far outside the view buses are still drawn, in pixels. */
const finger = 10;
const beyond = 60;

/** How long a configured base map may take, in ms, before our own one replaces it. */
const patience = 20_000;

/** Events of the map. */
export interface Taps {
  bus(key: string): void;
  station(id: string): void;
  /** The view or the style changed: everything that is drawn per frame must be drawn again. */
  redraw(): void;
  /** A new style lacks the stations and the marks. */
  dressed(): void;
  failed(what: 'styleFailed' | 'networkFailed'): void;
}

/** The map: a base map, the layers on it, and the meaning of a tap. */
export class CityMap {
  readonly map: MapLibre;
  readonly #taps: Taps;
  readonly #retries: TileRetries;
  #theme: Theme;
  #style: string | null;
  #base: BaseMap | undefined;
  #air: Air;
  #dressed = false;
  #route: string | undefined;
  #picking: ((place: LonLat) => void) | undefined;

  /** Throws if the browser has no WebGL 2. */
  constructor(container: HTMLElement, info: MapInfo, theme: Theme, tongue: Tongue, air: Air, taps: Taps) {
    this.#taps = taps;
    this.#air = air;
    this.#theme = theme;
    this.#style = info.style;
    this.map = new MapLibre({
      container, center: [...info.center], zoom: info.zoom, style: this.#ground(),
      attributionControl: false, fadeDuration: 0, maxPitch: 0, dragRotate: false, pitchWithRotate: false,
      // The worker needs absolute URLs of tiles. Tiles in a file have their own scheme.
      transformRequest: (url) => ({url: url.startsWith('pmtiles:') ? url : new URL(url, location.href).href}),
    });
    this.#retries = new TileRetries(this.map);
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.#controls(info, tongue);
    this.#listen();
    if (info.pmtiles !== undefined) void this.#lay(info.pmtiles);
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

  get loaded(): boolean {
    return this.#dressed;
  }

  // Layers on the base map

  /** Shows the buses; undefined while there is no style. */
  show(points: Points): Promise<void> | undefined {
    return this.#source(busSource)?.setData(points);
  }

  showStations(points: Points): void {
    void this.#source(stationSource)?.setData(points);
  }

  /** Shows the air of a quantity, now or at a past hour. The buses and stations are then those of that hour, too. */
  showAir(air: Air): void {
    this.#air = air;
    if (!this.#dressed) return;
    const tiles = airTiles(air, location.origin);
    this.map.getSource<RasterTileSource>(fieldSource)?.setTiles([tiles.field]);
    this.map.getSource<VectorTileSource>(airSource)?.setTiles([tiles.air]);
    this.map.getSource<VectorTileSource>(pastBusSource)?.setTiles([tiles.buses]);
    this.#seeAir();
  }

  #seeAir(): void {
    const see = (layer: string, seen: boolean): void => void this.map.setLayoutProperty(layer, 'visibility', seen ? 'visible' : 'none');
    const {field, time} = this.#air;
    see('nhip-field', field);
    for (const layer of presentLayers) see(layer, time === undefined);
    for (const layer of pastLayers) see(layer, time !== undefined);
  }

  showMarks(points: Points): void {
    void this.#source(markSource)?.setData(points);
  }

  /** Highlights the path of a line; undefined: none. */
  highlight(route: string | undefined): void {
    if (route === this.#route) return;
    this.#route = route;
    if (this.#dressed) this.map.setFilter(chosenRoute, ['==', ['get', 'route'], route ?? '']);
  }

  inView(at: LonLat): boolean {
    const {x, y} = this.map.project(at as LngLatLike);
    const {clientWidth, clientHeight} = this.map.getContainer();
    return x > -beyond && y > -beyond && x < clientWidth + beyond && y < clientHeight + beyond;
  }

  // The view

  centre(): LonLat {
    const {lng, lat} = this.map.getCenter();
    return [lng, lat];
  }

  /** Moves to a place, so that it is in the middle of the area that `covered` leaves free. */
  goTo(place: LonLat, zoom: number, covered: {left: number; bottom: number}): void {
    this.map.flyTo({
      center: place as LngLatLike, zoom: Math.max(zoom, this.map.getZoom()),
      offset: [covered.left / 2, -covered.bottom / 2], maxDuration: 2500,
    });
  }

  wear(theme: Theme): void {
    this.#theme = theme;
    this.#setStyle();
  }

  /** Makes the next tap choose a place instead of a feature; returns a function that cancels it. */
  pick(chosen: (place: LonLat) => void): () => void {
    const canvas = this.map.getCanvas();
    this.#picking = chosen;
    canvas.classList.add('picking');
    return () => {
      this.#picking = undefined;
      canvas.classList.remove('picking');
    };
  }

  #ground(): string | ReturnType<typeof ownGround> {
    return this.#style ?? ownGround(this.#theme, location.origin, this.#base);
  }

  #setStyle(): void {
    this.#dressed = false;
    this.map.setStyle(this.#ground(), {diff: false});
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.#dressed ? this.map.getSource<GeoJSONSource>(id) : undefined;
  }

  #listen(): void {
    const {map} = this;
    map.setMissingStyleImageResolver((id) => this.#draw(id));
    map.on('style.load', () => this.#dress());
    map.on('error', (event) => this.#failed(event));
    map.on('move', () => this.#taps.redraw());
    map.on('resize', () => this.#taps.redraw());
    map.on('click', (event) => this.#tapped(event));
    map.on('mousemove', (event) => map.getCanvas().classList.toggle('pointing', this.#hit(event) !== undefined));
    if (this.#style !== null) setTimeout(() => this.#fallBack(), patience);
  }

  #draw(id: string): void {
    const picture = readPictureId(id);
    if (picture && !this.map.hasImage(id)) this.map.addImage(id, paint(picture, this.#theme), {pixelRatio});
  }

  /** Adds our sources and layers to a new style. */
  #dress(): void {
    const {map} = this;
    for (const [id, source] of Object.entries(airSources(this.#air, location.origin))) map.addSource(id, source);
    map.addLayer(fieldLayer(this.#air), this.#style === null ? 'nhip-routes-case' : undefined);
    if (this.#style !== null) {
      map.addSource(networkSource, networkTiles(location.origin));
      for (const layer of networkLayers(this.#theme, true)) map.addLayer(layer);
    }
    for (const [id, source] of Object.entries(overlaySources())) map.addSource(id, source);
    for (const layer of [...pastCity(this.#theme, this.#air), ...overlayLayers(this.#theme)]) map.addLayer(layer);
    this.#seeAir();
    map.setFilter(chosenRoute, ['==', ['get', 'route'], this.#route ?? '']);
    this.#dressed = true;
    this.#taps.dressed();
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
    if (this.#picking) return this.#picking([event.lngLat.lng, event.lngLat.lat]);
    const properties = this.#hit(event);
    if (typeof properties?.['key'] === 'string') this.#taps.bus(properties['key']);
    else if (typeof properties?.['station'] === 'string') this.#taps.station(properties['station']);
  }

  /** Returns the feature nearest to a tap, within the width of a finger. */
  #hit({point}: MapMouseEvent): Record<string, unknown> | undefined {
    if (!this.#dressed || this.#picking) return undefined;
    const box: [[number, number], [number, number]] = [[point.x - finger, point.y - finger], [point.x + finger, point.y + finger]];
    const near = this.map.queryRenderedFeatures(box, {layers: tappable}).map(({geometry, properties}) => {
      const at = this.map.project((geometry as GeoJSON.Point).coordinates as [number, number]);
      return {properties, far: at.dist(point)};
    });
    return near.toSorted((a, b) => a.far - b.far)[0]?.properties;
  }

  #controls(info: MapInfo, tongue: Tongue): void {
    const {map} = this;
    map.addControl(new NavigationControl({showCompass: false}), 'top-right');
    map.addControl(new ScaleControl({maxWidth: 90}), 'bottom-left');
    map.addControl(new AttributionControl({compact: true, customAttribution: info.attribution}), 'bottom-right');
    tongue.each(() => this.#name(tongue));
  }

  /** MapLibre labels its controls once; this updates them with the language. */
  #name({words}: Tongue): void {
    const name = (selector: string, text: string): void => {
      const element = this.map.getContainer().querySelector(selector);
      element?.setAttribute('aria-label', text);
      if (element?.hasAttribute('title')) element.setAttribute('title', text);
    };
    name('.maplibregl-canvas', words.mapLabel);
    name('.maplibregl-ctrl-zoom-in', words.zoomIn);
    name('.maplibregl-ctrl-zoom-out', words.zoomOut);
    name('.maplibregl-ctrl-attrib-button', words.attribution);
  }
}
