import type {Map as MapLibre} from 'maplibre-gl';

import type {Fleet} from './fleet.ts';

/** State for the browser test, read-only. */
export interface Hook {
  readonly map: MapLibre | undefined;
  /** The complete state was received and the map has its style. */
  readonly ready: boolean;
  /** Every bus at its current place on the map. */
  buses(): {id: string; lon: number; lat: number}[];
}

declare global {
  interface Window {
    nhip: Hook;
  }
}

/** Attaches the hook to the window. */
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
