import {useState} from 'preact/hooks';

import {IconButton} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {seen} from '../app/scene.ts';
import {useWords} from '../core/i18n.ts';
import {type Around, around, lake, lookAround} from '../core/place.ts';
import {homes, setHome} from '../core/saved.ts';
import {useStore} from '../core/store.ts';
import {type NoPlace, whereAmI} from '../core/where.ts';
import {type RiderWords, riderWords} from './words.ts';

/** The name of a place. */
export function placeName(place: Around, w: RiderWords): string {
  switch (place.kind) {
    case 'default':
      return w.aroundLake;
    case 'here':
      return w.near;
    case 'home':
      return w.aroundHome;
    case 'work':
      return w.aroundWork;
    case 'picked':
      return place.name ? w.around(place.name) : w.aroundPicked;
  }
}

/** Asks the browser for the position, only when the rider wants it, and says why there is none. */
export function LocateButton() {
  const {w} = useWords(riderWords);
  const place = useStore(around);
  const [state, setState] = useState<'idle' | 'locating' | NoPlace>('idle');
  const here = async (): Promise<void> => {
    setState('locating');
    try {
      lookAround({kind: 'here', at: await whereAmI()});
      setState('idle');
    } catch (why) {
      setState(why as NoPlace);
    }
  };
  return (
    <>
      <IconButton icon="here" id="use-here" label={w.useHere} pressed={place.kind === 'here'} disabled={state === 'locating'} onClick={() => void here()} />
      {state === 'idle' ? null : <p class={`locate-note ${state === 'locating' ? 'meta' : 'note warn'}`} role="status">{w[state]}</p>}
    </>
  );
}

/** The choice of a place: home, work, the middle of the map, the lake. */
export function PlaceMenu({close}: {close: () => void}) {
  const {w} = useWords(riderWords);
  const place = useStore(around);
  const known = useStore(homes);
  const map = useStore(seen);
  const look = (to: Around) => () => (lookAround(to), close());
  return (
    <div class="places">
      <div class="buttons">
        {known.home ? <button type="button" class="plain" onClick={look({kind: 'home', at: known.home})}><Icon name="home" />{w.home}</button> : null}
        {known.work ? <button type="button" class="plain" onClick={look({kind: 'work', at: known.work})}><Icon name="work" />{w.work}</button> : null}
        {map ? <button type="button" class="plain" onClick={look({kind: 'picked', at: map.center})}><Icon name="near" />{w.useMap}</button> : null}
        {place.kind === 'default' ? null : <button type="button" class="plain" onClick={look({kind: 'default', at: lake})}>{w.useLake}</button>}
        {place.kind === 'default' || place.kind === 'home' ? null : <button type="button" class="plain" onClick={() => (setHome('home', place.at), close())}>{w.setHome}</button>}
        {place.kind === 'default' || place.kind === 'work' ? null : <button type="button" class="plain" onClick={() => (setHome('work', place.at), close())}>{w.setWork}</button>}
      </div>
    </div>
  );
}
