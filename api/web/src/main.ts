import {Api} from './api.ts';
import type {City} from './city.ts';
import {CityClock} from './city-clock.ts';
import {busKey, Fleet} from './fleet.ts';
import {hang} from './hook.ts';
import {Tongue, visitorsLanguage} from './i18n.ts';
import {listen} from './live.ts';
import {Monitors} from './monitors.ts';
import {Page} from './page.ts';
import type {Listener} from './session.ts';
import './style.css'; // last: it overrides the libraries' styles

const clock = new CityClock();
const city: City = {clock, fleet: new Fleet(clock), monitors: new Monitors(clock), quantity: 'pm25'};
const api = new Api();
const page = new Page(city, new Tongue(visitorsLanguage()), api);

async function start(): Promise<void> {
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const obey = (): void => void (city.fleet.gliding = !calm.matches);
  calm.addEventListener('change', obey);
  obey();
  const session = listen('/v1/live?form=compact', listener);
  hang(city.fleet, () => page.map?.map, () => session.link === 'live' && page.map?.loaded === true);
  setInterval(tick, 1000);
  await drawMap();
}

async function drawMap(): Promise<void> {
  try {
    const info = await api.map();
    if (info.simulated) page.top.simulated();
    page.draw(info, matchMedia('(prefers-color-scheme: dark)'));
  } catch (error) {
    console.warn('no map settings', error);
    page.notices.show('mapFailed');
  }
}

function tick(): void {
  if (city.fleet.age()) page.busesChanged();
  if (city.monitors.age()) page.stationsChanged();
  page.tick();
}

let air = ''; // version of the air that the map shows

const listener: Listener = {
  hello: ({time, rate}) => clock.set(Date.parse(time), rate),
  bus(feature) {
    if (feature.properties.origin === 'simulated') page.top.simulated();
    city.fleet.put(feature, performance.now(), document.hidden);
    page.busesChanged();
  },
  air(feature) {
    if (feature.properties.origin === 'simulated') page.top.simulated();
    city.monitors.put(feature);
    page.stationsChanged();
  },
  gone(gone) {
    if (gone.kind === 'bus') city.fleet.remove(busKey(gone.agency, gone.id));
    else city.monitors.remove(gone.id);
    page.busesChanged();
    page.stationsChanged();
  },
  complete(buses, stations) {
    city.fleet.keepOnly(buses);
    city.monitors.keepOnly(stations);
    page.busesChanged();
    page.stationsChanged();
  },
  link: (link) => page.link(link),
  tiles(versions) {
    if (air && air !== versions.air) page.airRenewed();
    air = versions.air;
  },
  unreadable: (event, error) => console.warn(`an unreadable ${event} event`, error),
};

void start(); // last: its events need everything above
