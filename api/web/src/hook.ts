import type {Map as MapLibre} from 'maplibre-gl';

import {cityMap} from './app/map-host.tsx';
import {live} from './core/city.ts';
import {onMap} from './rider/with-map.ts';

/** State for the browser tests, read-only. */
export interface Hook {
  readonly map: MapLibre | undefined;
  /** The stream is live and the map has its scene. */
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
export function hang(): void {
  window.nhip = Object.freeze({
    get map() {
      return cityMap.get()?.map;
    },
    get ready() {
      return live.link.get() === 'live' && cityMap.get()?.loaded === true;
    },
    buses: () => onMap.get()?.busesOnMap() ?? [],
  });
}
