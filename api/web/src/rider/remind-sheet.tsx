import {useEffect, useRef, useState} from 'preact/hooks';

import {announce} from '../app/frame.tsx';
import {frameWords} from '../app/words.ts';
import {troubleOf} from '../core/api.ts';
import {useWords} from '../core/i18n.ts';
import {type Kept, setReminder, type Wish} from '../core/reminders.ts';
import {remindWords} from './remind-words.ts';

export interface SheetProps {
  line: string;
  stopName: string;
  /** What can be chosen; the first one is preset. */
  wishes: Wish[];
  close: () => void;
}

/** When to be reminded, and "Set". */
export default function RemindSheet({line, stopName, wishes, close}: SheetProps) {
  const {w, f} = useWords(remindWords);
  const {w: frame} = useWords(frameWords);
  const [chosen, setChosen] = useState(0);
  const [state, setState] = useState<{kind: 'choosing' | 'setting'} | {kind: 'set'; kept: Kept} | {kind: 'failed'; why: string}>({kind: 'choosing'});
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), [state.kind]);
  const set = async (): Promise<void> => {
    const wish = wishes[chosen];
    if (!wish) return;
    setState({kind: 'setting'});
    try {
      const kept = await setReminder(wish, {line, stopName});
      setState({kind: 'set', kept});
      announce(said(kept));
    } catch (error) {
      setState({kind: 'failed', why: troubleOf(error) === 'not_found' ? w.unavailable : frame.troubles[troubleOf(error)]});
    }
  };
  const said = ({firesBy}: Kept): string => (firesBy === undefined ? w.will : w.willAt(f.hour(firesBy)));
  const label = (wish: Wish): string => (wish.kind === 'leave' ? w.leave : wish.kind === 'bus' ? w.before(String(wish.minutes)) : w.getOff);
  return (
    <div class="remind" onKeyDown={(event) => event.key === 'Escape' && close()}>
      {state.kind === 'set' ? (
        <>
          <p class="strong" id="reminded">{said(state.kept)}</p>
          <p class="meta">{w.keepOpen}</p>
          <div class="buttons">
            {'Notification' in window && Notification.permission === 'default' ? <button type="button" class="plain" onClick={() => void Notification.requestPermission()}>{w.allow}</button> : null}
            <button type="button" class="plain" ref={button} onClick={close}>{w.ok}</button>
          </div>
        </>
      ) : (
        <>
          {wishes.length > 1 ? (
            <fieldset>
              <legend>{w.when}</legend>
              <div class="services">
                {wishes.map((wish, i) => <label key={label(wish)}><input type="radio" name="wish" checked={i === chosen} onChange={() => setChosen(i)} /><span>{label(wish)}</span></label>)}
              </div>
            </fieldset>
          ) : null}
          {state.kind === 'failed' ? <p class="note warn" role="alert">{state.why}</p> : null}
          <div class="buttons">
            <button type="button" class="plain" onClick={close}>{w.cancel}</button>
            <button type="button" class="plain main" id="set" ref={button} disabled={state.kind === 'setting'} onClick={() => void set()}>{state.kind === 'setting' ? w.setting : w.set}</button>
          </div>
        </>
      )}
    </div>
  );
}
