import {Store, useStore} from '../core/store.ts';

// Where the rider is stands in the address. Objects push an entry, so that Back closes them; the camera, the sheet and
// filters replace the entry.

/** An address of the app. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

function present(): Place {
  return {path: decodePath(location.pathname), query: new URLSearchParams(location.search)};
}

function decodePath(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

/** The address now. */
export const place = new Store<Place>(present());

/** How many entries of the history are the app's, so that "back" can close an object that was opened by a link. */
let depth = (history.state as {depth?: number} | null)?.depth ?? 0;

/** Opens an address as a new entry of the history. A language that the address says stays in it, for those who share it. */
export function go(to: string): void {
  const lang = place.get().query.get('lang');
  const href = lang === null || /[?&]lang=/.test(to) ? to : `${to}${to.includes('?') ? '&' : '?'}lang=${encodeURIComponent(lang)}`;
  if (href === location.pathname + location.search) return;
  depth++;
  history.pushState({depth}, '', href);
  place.set(present());
}

/** Changes the query of the address without a new entry; undefined removes a parameter. */
export function replaceQuery(change: Record<string, string | undefined>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString().replaceAll('%2C', ',');
  history.replaceState({depth}, '', location.pathname + (text && `?${text}`));
  place.set(present());
}

/** Goes back, or to the start if the app was opened here. */
export function back(): void {
  if (depth > 0) history.back();
  else {
    history.replaceState({depth}, '', '/');
    place.set(present());
  }
}

export function usePlace(): Place {
  return useStore(place);
}

/** Follows the history and links of the app. */
export function startRoutes(): void {
  addEventListener('popstate', (event) => {
    depth = (event.state as {depth?: number} | null)?.depth ?? 0;
    place.set(present());
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute('download') || link.dataset['leave'] !== undefined) return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || !isOurs(to.pathname) || to.hash) return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
}

/** The addresses of the api beside the app's; see api/webmap. */
function isOurs(path: string): boolean {
  return !/^\/(v1|open311|ogc|tiles|styles|docs|embed|gtfs-rt|siri|sign-in|metrics|openapi\.yaml|basemap\.pmtiles|assets)(\/|$)/.test(path);
}
