import {useState} from 'preact/hooks';

import {useWords} from '../core/i18n.ts';
import {airWords} from './air-words.ts';
import type {Choice} from './choice.ts';
import type {Legend} from './classes.ts';
import type {Reported} from './stations.ts';
import type {ComponentType} from 'preact';

export interface PictureProps {
  choice: Choice;
  list: readonly Reported[];
  legend: Legend | undefined;
  kind: string | undefined;
}

type Dialog = ComponentType<PictureProps & {close: () => void}>;

/** "Save picture": what it needs is loaded when it is wanted. */
export function PictureButton(props: PictureProps) {
  const {w} = useWords(airWords);
  const [Open, setOpen] = useState<{it: Dialog}>();
  const open = async (): Promise<void> => {
    const {default: it} = await import('./picture-dialog.tsx');
    setOpen({it});
  };
  return (
    <>
      <button type="button" class="plain small" id="save-picture" disabled={props.list.length === 0} onClick={() => void open()}>{w.savePicture}</button>
      {Open ? <Open.it {...props} close={() => setOpen(undefined)} /> : null}
    </>
  );
}
