import {type Build, Worker} from './worker.ts';

// The entry of /sw.js. It is a bundle of its own, without imports; vite.sw.config.ts writes the build into it.

declare const NHIP_BUILD: Build;

/** The parts of the global scope that are used: the types of workers and of pages exclude each other. */
interface WorkerScope {
  location: Location;
  clients: {claim(): Promise<void>};
  registration: {navigationPreload?: {enable(): Promise<void>}};
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: {waitUntil(work: Promise<unknown>): void}) => void): void;
  addEventListener(type: 'fetch', listener: (event: {request: Request; preloadResponse?: Promise<Response | undefined>; respondWith(answer: Promise<Response>): void}) => void): void;
  addEventListener(type: 'message', listener: (event: {data: unknown; waitUntil(work: Promise<unknown>): void}) => void): void;
}

const scope = self as unknown as WorkerScope;

const worker = new Worker({
  origin: scope.location.origin, caches, fetch: (input, init) => fetch(input, init), now: () => Date.now(),
  wait: (ms) => new Promise((done) => setTimeout(done, ms)),
}, NHIP_BUILD);

scope.addEventListener('install', (event) => event.waitUntil(worker.install()));

scope.addEventListener('activate', (event) => event.waitUntil((async () => {
  await scope.registration.navigationPreload?.enable();
  await worker.activate();
  await scope.clients.claim();
})()));

scope.addEventListener('fetch', (event) => {
  const answer = worker.answer(event.request, event.preloadResponse);
  if (answer) event.respondWith(answer);
});

scope.addEventListener('message', (event) => {
  const {type, addresses} = (event.data ?? {}) as {type?: string; addresses?: unknown};
  if (type === 'take-over') event.waitUntil(scope.skipWaiting());
  else if (type === 'keep' && Array.isArray(addresses)) event.waitUntil(worker.keep(addresses.filter((path): path is string => typeof path === 'string' && path.startsWith('/v1/')).slice(0, 300)));
});
