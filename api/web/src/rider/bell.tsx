import type {ComponentType} from 'preact';
import {useState} from 'preact/hooks';

import {IconButton} from '../app/frame.tsx';
import {useWords} from '../core/i18n.ts';
import {unavailable, type Wish} from '../core/reminders.ts';
import {useStore} from '../core/store.ts';
import type {SheetProps} from './remind-sheet.tsx';
import {riderWords} from './words.ts';

/** The bell of a row. Its sheet is loaded when it is wanted; its first choice is set with one more tap. */
export function Bell({line, stopName, wishes}: {line: string; stopName: string; wishes: Wish[]}) {
  const {w} = useWords(riderWords);
  const off = useStore(unavailable);
  const [Sheet, setSheet] = useState<{view: ComponentType<SheetProps>}>();
  if (off && !Sheet) return null;
  const close = (): void => setSheet(undefined);
  const open = (): void => {
    if (Sheet) close();
    else void import('./remind-sheet.tsx').then((module) => setSheet({view: module.default}));
  };
  return (
    <>
      <span class="bell"><IconButton icon="bell" label={w.remindOf(line)} pressed={Sheet !== undefined} onClick={open} /></span>
      {Sheet ? <Sheet.view line={line} stopName={stopName} wishes={wishes} close={close} /> : null}
    </>
  );
}
