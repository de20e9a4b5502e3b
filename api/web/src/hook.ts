import type {Map as MapLibre} from 'maplibre-gl';

import type {Fleet} from './fleet.ts';

/** What the browser test reads: it looks and touches nothing. */
export interface Hook {
  readonly map: MapLibre | undefined;
  /** The whole city was received and the map has its style. */
  readonly ready: boolean;
  /** Every bus where it is shown at this moment. */
  buses(): {id: string; lon: number; lat: number}[];
}

declare global {
  interface Window {
    nhip: Hook;
  }
}

/** Hangs the hook on the window. */
export function hang(fleet: Fleet, map: () => MapLibre | undefined, ready: () => boolean): void {
  window.nhip = Object.freeze({
    get map() {
      return map();
    },
    get ready() {
      return ready();
    },
    buses() {
      const now = performance.now();
      return [...fleet.all()].map(({key}) => {
        const [lon, lat] = fleet.shown(key, now) ?? [Number.NaN, Number.NaN];
        return {id: key, lon, lat};
      });
    },
  });
}
