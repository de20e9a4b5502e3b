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
import type {Tongue} from './i18n.ts';

setWorkerUrl(workerUrl);

/** How far beside a thing a finger may tap, and how far outside the view buses are still drawn, in pixels. */
const finger = 10;
const beyond = 60;

/** How long a given base map may take, in ms, before our own ground takes its place. */
const patience = 20_000;

/** What the map tells. */
export interface Taps {
  bus(key: string): void;
  station(id: string): void;
  /** The view or the style changed: what is drawn by the frame must be drawn again. */
  redraw(): void;
  /** A fresh style lacks the stations and the marks. */
  dressed(): void;
  failed(what: 'styleFailed' | 'networkFailed'): void;
}

/** The map itself: a ground, what lies on it, and what a tap means. */
export class CityMap {
  readonly map: MapLibre;
  readonly #taps: Taps;
  #theme: Theme;
  #style: string | null;
  #base: BaseMap | undefined;
  #air: Air;
  #dressed = false;
  #route: string | undefined;
  #picking: ((place: LonLat) => void) | undefined;

  /** Throws where the browser has no WebGL 2. */
  constructor(container: HTMLElement, info: MapInfo, theme: Theme, tongue: Tongue, air: Air, taps: Taps) {
    this.#taps = taps;
    this.#air = air;
    this.#theme = theme;
    this.#style = info.style;
    this.map = new MapLibre({
      container, center: info.center, zoom: info.zoom, style: this.#ground(),
      attributionControl: false, fadeDuration: 0, maxPitch: 0, dragRotate: false, pitchWithRotate: false,
      // Tiles named by path alone must be absolute before the worker asks for them. What is in a file has a name of its own.
      transformRequest: (url) => ({url: url.startsWith('pmtiles:') ? url : new URL(url, location.href).href}),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.#controls(info, tongue);
    this.#listen();
    if (info.pmtiles !== undefined) void this.#lay(info.pmtiles);
  }

  /** Takes the base map as soon as it can be read. */
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

  // What lies on the ground

  /** Shows the buses; undefined while there is no style to show them on. */
  show(points: Points): Promise<void> | undefined {
    return this.#source(busSource)?.setData(points);
  }

  showStations(points: Points): void {
    void this.#source(stationSource)?.setData(points);
  }

  /** Shows the air of a quantity, now or at another hour; then the buses and stations are those of that hour, too. */
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

  /** Highlights the way of a line; undefined for none. */
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

  // Where it looks

  centre(): LonLat {
    const {lng, lat} = this.map.getCenter();
    return [lng, lat];
  }

  /** Goes to a place, so that it stands in the middle of what `covered` leaves free. */
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

  /** The next tap is a place and not a thing; returns what calls it off. */
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

  /** Puts our things on a fresh style. */
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
    console.warn('the map met an error', event.error);
    if (!this.#dressed) this.#fallBack();
    else if (event.sourceId === networkSource) this.#taps.failed('networkFailed');
  }

  /** Takes our own ground where the given style does not come. */
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

  /** What lies nearest to a tap, within a finger's breadth. */
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

  /** MapLibre names its controls once; here they follow the language. */
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
