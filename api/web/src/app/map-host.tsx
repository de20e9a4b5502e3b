import {useEffect, useRef, useState} from 'preact/hooks';

import {api, live, simulated} from '../core/city.ts';
import type {MapInfo} from '../core/contract.ts';
import {useWords} from '../core/i18n.ts';
import {Store, useStore} from '../core/store.ts';
import type {CityMap} from '../map/city-map.ts';
import {announce} from './frame.tsx';
import {Icon} from './icons.tsx';
import {type Hit, painted, scene} from './scene.ts';
import type {MapSize} from './views.ts';
import {frameWords} from './words.ts';

/** The map, once it is there; views reach it for what a scene can't say, such as a picture. */
export const cityMap = new Store<CityMap | undefined>(undefined);

/** Hits among which the rider chooses. */
const choice = new Store<Hit[]>([]);

type State = 'waiting' | 'asked' | 'loading' | 'there' | 'failed';

/** The browser says that data are scarce: then the map is loaded only if the rider wants it. */
function scarce(): boolean {
  const net = (navigator as {connection?: {saveData?: boolean; effectiveType?: string}}).connection;
  return net?.saveData === true || /^(slow-2g|2g|3g)$/.test(net?.effectiveType ?? '');
}

/** The settings of the map; every view may ask for them. */
let settings: Promise<MapInfo> | undefined;
export function mapInfo(): Promise<MapInfo> {
  settings ??= api.get<MapInfo>('/v1/map').then(
    (info) => {
      if (info.simulated) simulated.set(true);
      return info;
    },
    (error: unknown) => {
      settings = undefined;
      throw error;
    },
  );
  return settings;
}

/** The place of the map. It is loaded after the first list is painted. */
export function MapHost({size, tall}: {size: MapSize; tall: Store<boolean>}) {
  const {w, lang} = useWords(frameWords);
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<State>('waiting');
  const ready = useStore(painted);
  const high = useStore(tall);
  const map = useStore(cityMap);
  const wanted = ready && size !== 'none';

  useEffect(() => {
    if (state === 'waiting' && wanted) setState(scarce() ? 'asked' : 'loading');
  }, [state, wanted]);

  useEffect(() => {
    if (state !== 'loading' || !box.current) return;
    void load(box.current, (what) => announce(what === 'styleFailed' ? w.styleFailed : '')).then((there) => setState(there ? 'there' : 'failed'));
  }, [state]);

  useEffect(() => map?.name({canvas: w.map, attribution: w.attribution}), [map, lang]);

  return (
    <section id="map-holder" aria-label={w.mapPart} data-state={state}>
      <div id="map" ref={box} />
      {state === 'asked' ? <button type="button" class="plain open-map" onClick={() => setState('loading')}>{w.openMap}</button> : null}
      {state === 'loading' ? <p class="map-note meta">{w.mapLoading}</p> : null}
      {state === 'failed' ? <p class="map-note" role="status">{w.noMap}</p> : null}
      {state === 'there' ? (
        <div class="map-buttons">
          <button type="button" class="round" id="map-size" aria-label={high ? w.lower : w.taller} title={high ? w.lower : w.taller} aria-pressed={high} onClick={() => (tall.set(!high), map?.resized())}><Icon name="expand" /></button>
          <button type="button" class="round" id="zoom-in" aria-label={w.zoomIn} title={w.zoomIn} onClick={() => map?.map.zoomIn()}><Icon name="plus" /></button>
          <button type="button" class="round" id="zoom-out" aria-label={w.zoomOut} title={w.zoomOut} onClick={() => map?.map.zoomOut()}><Icon name="minus" /></button>
        </div>
      ) : null}
      <Chooser />
    </section>
  );
}

/** Loads MapLibre and makes the map; false if the browser can't draw it. */
async function load(container: HTMLElement, failed: (what: 'styleFailed' | 'networkFailed') => void): Promise<boolean> {
  try {
    const [{CityMap}, info] = await Promise.all([import('../map/city-map.ts'), mapInfo()]);
    const map = new CityMap(container, info, {
      failed,
      chosen: (hits) => (hits.length === 1 ? hits[0]?.open() : choice.set(hits)),
    });
    map.show(scene.get());
    scene.subscribe(() => map.show(scene.get()));
    live.on('tiles', (versions) => map.tilesRenewed(versions));
    cityMap.set(map);
    return true;
  } catch (error) {
    console.info('no map:', error);
    return false;
  }
}

/** Several things lie under the finger. */
function Chooser() {
  const {w} = useWords(frameWords);
  const hits = useStore(choice);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), [hits]);
  if (hits.length === 0) return null;
  const close = (): void => choice.set([]);
  return (
    <div class="chooser" role="dialog" aria-label={w.choose} onKeyDown={(e) => e.key === 'Escape' && close()}>
      <p>{w.choose}</p>
      {hits.map((hit, i) => <button type="button" key={hit.key} ref={i === 0 ? first : null} onClick={() => (close(), hit.open())}>{hit.label}</button>)}
      <button type="button" class="quiet" onClick={close}>{w.close}</button>
    </div>
  );
}
