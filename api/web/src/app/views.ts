import type {ComponentType} from 'preact';

import Home from '../rider/home.tsx';
import {match} from './paths.ts';

/** What a view gets. `params` are the decoded parts of its path. */
export interface ViewProps {
  params: Record<string, string>;
  query: URLSearchParams;
}

export type Tab = 'near' | 'saved' | 'air' | 'more';

/** How much of a phone the map takes. */
export type MapSize = 'strip' | 'half' | 'full' | 'none';

/** A view and its address. */
export interface ViewEntry {
  path: string;
  tab: Tab;
  map: MapSize;
  load: () => Promise<{default: ComponentType<ViewProps>}>;
}

/** All views. A view is a chunk of its own; the first one of riders is in the main chunk. */
export const views: readonly ViewEntry[] = [
  {path: '/', tab: 'near', map: 'strip', load: () => Promise.resolve({default: Home})},
  {path: '/stop/:id', tab: 'near', map: 'strip', load: () => import('../rider/stop.tsx')},
  {path: '/line/:id', tab: 'near', map: 'strip', load: () => import('../rider/line.tsx')},
  {path: '/bus/:agency/:id', tab: 'near', map: 'strip', load: () => import('../rider/bus.tsx')},
  {path: '/search', tab: 'near', map: 'none', load: () => import('../rider/search.tsx')},
  {path: '/saved', tab: 'saved', map: 'none', load: () => import('../rider/saved.tsx')},
  {path: '/reminders', tab: 'saved', map: 'none', load: () => import('../rider/reminders.tsx')},
  {path: '/report', tab: 'more', map: 'none', load: () => import('../rider/report.tsx')},
  {path: '/report/:id', tab: 'more', map: 'none', load: () => import('../rider/sent.tsx')},
  {path: '/more', tab: 'more', map: 'none', load: () => import('../rider/more.tsx')},
  {path: '/air/at/:at', tab: 'air', map: 'strip', load: () => import('../rider/air-here.tsx')},
  {path: '/air', tab: 'air', map: 'half', load: () => import('../air/air.tsx')},
  {path: '/air/station/:id', tab: 'air', map: 'strip', load: () => import('../air/station.tsx')},
  {path: '/air/zone/:kind/:id', tab: 'air', map: 'strip', load: () => import('../air/zone.tsx')},
];

/** Shown for an address that is not of a view. */
export const notFound: ViewEntry = {path: '', tab: 'near', map: 'none', load: () => import('../rider/not-found.tsx')};

/** Returns the view of a path with the parts of it. */
export function viewOf(path: string): {entry: ViewEntry; params: Record<string, string>} {
  for (const entry of views) {
    const params = match(entry.path, path);
    if (params) return {entry, params};
  }
  return {entry: notFound, params: {}};
}
