import {useEffect} from 'preact/hooks';

import {Head, IconButton, useTitle} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {painted} from '../app/scene.ts';
import {useWords} from '../core/i18n.ts';
import {reminders, removeReminder} from '../core/reminders.ts';
import {useStore} from '../core/store.ts';
import {remindWords} from './remind-words.ts';

/** The reminders of this device. */
export default function Reminders() {
  const {w, f} = useWords(remindWords);
  const all = useStore(reminders);
  useTitle(w.title);
  useEffect(() => painted.set(true), []);
  return (
    <>
      <Head title={w.title} sub={w.keepOpen} />
      {all.length === 0 ? <p class="pad" id="none">{w.none}</p> : null}
      <ul class="list" id="reminders">
        {all.map((kept) => (
          <li key={kept.id}>
            <span class="item">
              <Icon name="bell" />
              <span class="item-text"><b>{kept.kind === 'get_off' ? w.getOffAt(kept.stopName) : `${kept.line} · ${kept.stopName}`}</b><span class="meta">{kept.fired !== undefined ? w.doneTelling : kept.firesBy === undefined ? w.waiting : w.willAt(f.hour(kept.firesBy))}</span></span>
            </span>
            <IconButton icon="close" label={`${w.remove}, ${kept.line} ${kept.stopName}`} onClick={() => void removeReminder(kept)} />
          </li>
        ))}
      </ul>
    </>
  );
}
