import {address} from '../core/api.ts';
import {clock} from '../core/city.ts';
import {saved} from '../core/saved.ts';
import {addressesOf} from './keep.ts';
import {storedAt} from './rules.ts';
import {names} from './worker.ts';

// Registers the service worker after the first view, and tells it what to keep. A new version takes over while nobody
// looks: a page in front is never changed under the finger.

/** When the page was opened, ms since 1970. */
const opened = Date.now() - performance.now();

/** How often a new version is looked for, ms. */
const often = 3_600_000;

export async function registerWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const {serviceWorker} = navigator;
  const had = serviceWorker.controller !== null;
  let renewed = false;
  serviceWorker.addEventListener('controllerchange', () => {
    if (had && !renewed && document.hidden) location.reload();
    renewed = true;
  });
  try {
    const registration = await serviceWorker.register('/sw.js', {updateViaCache: 'none'});
    document.addEventListener('visibilitychange', () => document.hidden && registration.waiting?.postMessage({type: 'take-over'}));
    setInterval(() => document.hidden || registration.update().catch(() => undefined), often);
    await serviceWorker.ready;
    const keep = (): void => serviceWorker.controller?.postMessage({type: 'keep', addresses: addressesOf(saved.get(), clock.now(), address)});
    saved.subscribe(keep);
    await keepSeeds();
    setTimeout(keep, 5000);
  } catch (error) {
    console.info('no service worker:', error); // a private window, or a page without https
  }
}

/** Keeps the answers that the server wrote into the page: the worker has not seen them pass. */
async function keepSeeds(): Promise<void> {
  const cache = await caches.open(names.answers);
  for (const {dataset, textContent} of document.querySelectorAll<HTMLScriptElement>('script[data-url]:not([data-private])')) {
    await cache.put(dataset['url'] ?? '', new Response(textContent, {headers: {'Content-Type': 'application/json', [storedAt]: String(opened)}}));
  }
}
