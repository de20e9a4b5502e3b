import {useEffect, useState} from 'preact/hooks';

import {cityMap} from '../app/map-host.tsx';
import {scene, seen} from '../app/scene.ts';
import {live} from '../core/city.ts';
import type {LonLat} from '../core/contract.ts';
import {Store, useStore} from '../core/store.ts';
import type * as OnMap from './on-map.ts';

/** The module of what riders see on the map, once the map is there. */
export const onMap = new Store<typeof OnMap | undefined>(undefined);

/** Loads it with the map. */
export function useOnMap(): typeof OnMap | undefined {
  const map = useStore(cityMap);
  const loaded = useStore(onMap);
  useEffect(() => {
    if (map && !loaded) import('./on-map.ts').then((module) => onMap.set(module), (error: unknown) => console.info('no buses on the map:', error));
  }, [map, loaded]);
  return loaded;
}

/** The box of places, widened a little so that nothing stands on its edge. */
export function boundsOf(places: readonly LonLat[]): readonly [number, number, number, number] {
  const [lons, lats] = [places.map(([lon]) => lon), places.map(([, lat]) => lat)];
  const edge = 0.0008; // about 90 m
  return [Math.min(...lons) - edge, Math.min(...lats) - edge, Math.max(...lons) + edge, Math.max(...lats) + edge];
}

/**
 * Shows on the map what a view wants. The camera moves when `cameraKey` changes, the rest is drawn anew when `key` does.
 * `box`: the view wants to hear of every bus that the map shows.
 */
export function useSight(sight: () => OnMap.Sight, cameraKey: string, key: string, box = true): void {
  const module = useOnMap();
  const [shown, setShown] = useState('');
  useEffect(() => {
    if (!module) return;
    scene.set(module.sceneOf(sight()));
    setShown(key);
  }, [module, cameraKey]);
  useEffect(() => {
    if (module && shown !== '' && shown !== key) {
      module.redraw(sight());
      setShown(key);
    }
  }, [module, key, shown]);
  useBox(box && module !== undefined);
}

/** Hears of the buses in the box of the map, in steps of about 500 m so that small moves ask for nothing new. */
function useBox(wanted: boolean): void {
  const view = useStore(seen);
  const step = 200;
  const key = view && wanted ? [...view.bbox.map((v, i) => (i < 2 ? Math.floor(v * step) : Math.ceil(v * step)) / step), Math.round(view.zoom)].join() : '';
  useEffect(() => {
    if (!key) return undefined;
    const [west = 0, south = 0, east = 0, north = 0, zoom = 0] = key.split(',').map(Number);
    return zoom < 11 ? undefined : live.want({bbox: [west, south, east, north], zoom});
  }, [key]);
}
