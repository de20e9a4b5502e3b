import {Api, readSeeds} from './api.ts';
import {CityClock} from './city-clock.ts';
import {Live} from './live.ts';
import {Store, useStore} from './store.ts';

// What all views share: one of each on a page.

export const api = new Api(undefined, readSeeds(document));
export const live = new Live();
export const clock = new CityClock();

/** The platform's time, ms since 1970; it changes once a second while the page is seen. */
export const now = new Store(clock.now());

/** The data are simulated, which the app always says. */
export const simulated = new Store(false);

/** The browser says that there is no network. */
export const offline = new Store(!navigator.onLine);

/** A view shows a past moment: what the bar says instead of "live", and the way back. */
export const viewing = new Store<{text: string; back: string; leave: () => void} | undefined>(undefined);

/** The platform's time in a component that is drawn again every second. */
export function useNow(): number {
  return useStore(now);
}

/** The platform's time in steps of five seconds: often enough for minutes. */
const slowly = new Store(now.get());
now.subscribe(() => Math.abs(now.get() - slowly.get()) >= 5000 * clock.rate && slowly.set(now.get()));

export function useSlowNow(): number {
  return useStore(slowly);
}

/** Sets the clock by a fresh answer, until the stream does: the device's own may be minutes off. */
export function anchor(time: string): void {
  if (clock.known) return;
  clock.set(Date.parse(time), 1);
  now.set(clock.now());
}

/** Starts the clock and the stream. */
export function startCity(): void {
  live.on('hello', ({time, rate}) => {
    clock.set(Date.parse(time), rate);
    now.set(clock.now());
  });
  live.on('bus', ({bus}) => bus.origin === 'simulated' && simulated.set(true));
  live.on('air', ({properties}) => properties.origin === 'simulated' && simulated.set(true));
  setInterval(() => document.hidden || now.set(clock.now()), 1000);
  document.addEventListener('visibilitychange', () => live.hide(document.hidden));
  addEventListener('online', () => {
    offline.set(false);
    live.retry();
  });
  addEventListener('offline', () => offline.set(true));
  live.start();
}
