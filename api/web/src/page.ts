import type {Air} from './air-layers.ts';
import type {Api} from './api.ts';
import {BusPainter, type Canvas} from './bus-painter.ts';
import {BusView} from './bus-view.ts';
import type {City} from './city.ts';
import {CityMap} from './city-map.ts';
import type {BusFeature, LonLat, MapInfo, Quantity} from './contract.ts';
import {at, h, icon} from './dom.ts';
import {busKey} from './fleet.ts';
import type {Tongue} from './i18n.ts';
import {Hours} from './hours.ts';
import {drawLegend} from './legend.ts';
import {NearView} from './near-view.ts';
import {Notices} from './notices.ts';
import {type Points, stationPoint} from './overlay.ts';
import {Panel, type View} from './panel.ts';
import type {Link} from './session.ts';
import {StationView} from './station-view.ts';
import {StationsView} from './stations-view.ts';
import {dark, light, type Theme} from './theme.ts';
import {Top} from './top.ts';

/** Zoom levels for a bus and a station. */
const busZoom = 15;
const stationZoom = 14;

/** The page: its parts, and how each reacts to the events of the others. */
export class Page {
  readonly notices: Notices;
  readonly top: Top;
  map: CityMap | undefined;
  readonly #city: City;
  readonly #tongue: Tongue;
  readonly #api: Api;
  readonly #panel: Panel;
  #painter: BusPainter | undefined;
  #place: LonLat | undefined;
  #marked = '';
  #stationsDue = false;
  #air: Air;
  readonly #hours: Hours;

  constructor(city: City, tongue: Tongue, api: Api) {
    this.#city = city;
    this.#tongue = tongue;
    this.#api = api;
    this.#air = {quantity: city.quantity, time: undefined, field: true};
    this.notices = new Notices(at('notices'), tongue);
    this.top = new Top(at('top'), tongue, city.clock);
    this.#panel = new Panel(at('panel'), tongue);
    this.#panel.onChange = (view) => this.#viewChanged(view);
    drawLegend(at('scale'), tongue, city.quantity, (quantity) => this.#colorBy(quantity));
    this.#hours = new Hours(at('hours'), city.clock, tongue, (time) => this.#showAir({time}), (field) => this.#showAir({field}));
    tongue.each(() => this.#name());
  }

  #showAir(change: Partial<Air>): void {
    this.#air = {...this.#air, ...change};
    this.map?.showAir(this.#air);
    document.body.classList.toggle('at-another-hour', this.#air.time !== undefined);
  }

  /** Loads the tiles of the present air anew. */
  airRenewed(): void {
    if (this.#air.time === undefined) this.#showAir({});
  }

  /** Draws the map; the lists also work without it. */
  draw(info: MapInfo, scheme: MediaQueryList): void {
    const theme = (): Theme => (scheme.matches ? dark : light);
    try {
      this.map = new CityMap(at('map'), info, theme(), this.#tongue, this.#air, {
        bus: (key) => this.#openBus(key, false),
        station: (id) => this.#openStation(id, false),
        redraw: () => this.busesChanged(),
        dressed: () => this.#dressed(),
        failed: (what) => this.notices.show(what),
      });
    } catch (error) {
      console.warn('no map', error);
      return this.notices.show('webglFailed');
    }
    this.#painter = new BusPainter(this.#city.fleet, this.#following(this.map));
    scheme.addEventListener('change', () => this.map?.wear(theme()));
  }

  busesChanged(): void {
    this.#painter?.wake();
  }

  /** Stations change in bursts, so they are drawn once, in the next frame. */
  stationsChanged(): void {
    if (this.#stationsDue) return;
    this.#stationsDue = true;
    requestAnimationFrame(() => {
      this.#stationsDue = false;
      this.#showStations();
    });
  }

  /** The map for the painter: the ring follows its bus. */
  #following(map: CityMap): Canvas {
    return {
      inView: (place) => map.inView(place),
      show: (points) => {
        this.mark();
        return map.show(points);
      },
    };
  }

  #showStations(): void {
    const points: Points = {type: 'FeatureCollection', features: []};
    for (const monitor of this.#city.monitors.all()) {
      const point = stationPoint(monitor, this.#city.quantity, (value) => this.#tongue.format.short(value));
      if (point) points.features.push(point);
    }
    this.map?.showStations(points);
  }

  link(link: Link): void {
    this.top.link(link);
    if (link === 'lost') this.notices.show('lost');
    else if (link === 'live') this.notices.hide('lost');
  }

  /** Runs once a second of the platform's clock. */
  tick(): void {
    this.top.tick();
    this.#hours.tick();
    this.#panel.tick();
    this.#panel.retitle();
    this.#highlight(this.#panel.top);
  }

  /** Keeps the ring around the selection, which may move. */
  mark(): void {
    const features: Points['features'] = [];
    const chosen = this.#chosen();
    if (this.#place) features.push(markAt('place', this.#place));
    if (chosen) features.push(markAt('chosen', chosen));
    const now = JSON.stringify(features);
    if (now === this.#marked) return;
    this.#marked = now;
    this.map?.showMarks({type: 'FeatureCollection', features});
  }

  #chosen(): LonLat | undefined {
    const view = this.#panel.top;
    if (view instanceof BusView) return this.#city.fleet.shown(view.key, performance.now());
    if (view instanceof StationView) return this.#city.monitors.get(view.id)?.feature.geometry?.coordinates;
    return undefined;
  }

  #dressed(): void {
    this.#marked = '';
    this.stationsChanged();
    this.busesChanged();
    this.mark();
  }

  #colorBy(quantity: Quantity): void {
    this.#city.quantity = quantity;
    this.#showAir({quantity});
    this.stationsChanged();
    this.#panel.tick();
  }

  #viewChanged(view: View | undefined): void {
    document.body.classList.toggle('panel-open', view !== undefined);
    this.#highlight(view);
    if (!view) this.#place = undefined;
    at('announcer').textContent = view?.title() ?? '';
    this.mark();
  }

  #highlight(view: View | undefined): void {
    const bus = view instanceof BusView ? this.#city.fleet.get(view.key) : undefined;
    this.map?.highlight(bus?.said.route);
  }

  #name(): void {
    const {words, lang} = this.#tongue;
    document.documentElement.lang = lang;
    document.title = words.title;
    const actions = at('actions');
    actions.setAttribute('aria-label', words.actions);
    actions.replaceChildren(
      h('button', {type: 'button', id: 'open-near', class: 'action', onclick: () => this.#openNear()}, icon('bus'), h('span', {}, words.near)),
      h('button', {type: 'button', id: 'open-stations', class: 'action', onclick: () => this.#openStations()}, icon('air'), h('span', {}, words.stationsShort)));
    this.stationsChanged();
  }

  #openNear(): void {
    const {map} = this;
    const picker = map && {
      pick: (chosen: (place: LonLat) => void) => map.pick(chosen),
      centre: () => map.centre(),
      stand: (place: LonLat) => this.#stand(place),
    };
    this.#panel.open(new NearView(this.#api, this.#city, this.#tongue, picker, (bus) => this.#openFound(bus)));
  }

  #stand(place: LonLat): void {
    this.#place = place;
    this.mark();
    this.map?.goTo(place, stationZoom, this.#covered());
  }

  #openFound(bus: BusFeature): void {
    const {agency, id} = bus.properties;
    this.#openBus(busKey(agency, id), true);
  }

  #openStations(): void {
    this.#panel.open(new StationsView(this.#city, this.#tongue, (id) => this.#openStation(id, true)));
  }

  /** `fly`: it was chosen from a list, so the map moves there and the list stays below. */
  #openBus(key: string, fly: boolean): void {
    this.#show(new BusView(key, this.#city, this.#tongue), fly);
    const to = this.#chosen();
    if (fly && to) this.map?.goTo(to, busZoom, this.#covered());
  }

  #openStation(id: string, fly: boolean): void {
    this.#show(new StationView(id, this.#city, this.#tongue, this.#api), fly);
    const to = this.#chosen();
    if (fly && to) this.map?.goTo(to, stationZoom, this.#covered());
  }

  #show(view: View, fromList: boolean): void {
    if (fromList) this.#panel.push(view);
    else this.#panel.open(view);
  }

  /** The part of the map that the panel covers: the left on a desktop, the bottom on a phone. */
  #covered(): {left: number; bottom: number} {
    const panel = at('panel').getBoundingClientRect();
    const wide = panel.width < window.innerWidth * 0.7;
    return wide ? {left: panel.right, bottom: 0} : {left: 0, bottom: window.innerHeight - panel.top};
  }
}

function markAt(kind: 'place' | 'chosen', [lon, lat]: LonLat): GeoJSON.Feature<GeoJSON.Point> {
  return {type: 'Feature', geometry: {type: 'Point', coordinates: [lon, lat]}, properties: {kind}};
}
