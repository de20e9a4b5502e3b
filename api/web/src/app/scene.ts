import {useEffect} from 'preact/hooks';
import type {Map as MapLibre, MapMouseEvent} from 'maplibre-gl';

import type {LonLat} from '../core/contract.ts';
import {Store} from '../core/store.ts';
import type {Theme} from '../map/theme.ts';

// What the map shows is a scene that the view in front declares. This module knows the map's types only: MapLibre is
// loaded after the first list is painted, and the scene is applied then.

/** Something under a tap. The lowest rank is meant: bus 1, stop 2, station 3, line 4. */
export interface Hit {
  rank: number;
  /** Two hits with the same key are one. */
  key: string;
  label: string;
  open(): void;
}

/** Sources and layers of a view. They are added after each load of a style, so `add` may be called several times. */
export interface Overlay {
  add(map: MapLibre, theme: Theme): void;
  remove(map: MapLibre): void;
  /** What is under a tap, within 22 px. */
  hits?(map: MapLibre, event: MapMouseEvent): Hit[];
}

/** Where the map should look when the scene is set. */
export type Camera =
  | {center: LonLat; zoom: number}
  | {bounds: readonly [west: number, south: number, east: number, north: number]; maxZoom?: number};

export interface Scene {
  /** The same object is kept on the map when the scene changes; make overlays once per view. */
  overlays: Overlay[];
  camera?: Camera | undefined;
  /** `light`: the ground stays light in the dark theme, because colors of the air would turn brown on a dark one. */
  ground?: 'light';
  /** A tap on nothing; default: nothing happens. */
  bare?: (at: LonLat) => void;
}

/** The scene of the view in front. */
export const scene = new Store<Scene>({overlays: []});

/** Shows a scene while the component is mounted. Give it a memoized object: it is applied when the object changes. */
export function useScene(wanted: Scene): void {
  useEffect(() => scene.set(wanted), [wanted]);
}

/** Set by the view in front once its list is painted: the map is loaded after it. */
export const painted = new Store(false);

/** What the map shows, as the rider left it: its box and zoom. Undefined until the map is there. */
export const seen = new Store<{bbox: readonly [number, number, number, number]; zoom: number; center: LonLat} | undefined>(undefined);
