import {useEffect} from 'preact/hooks';

import {Head, useTitle} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import {painted} from '../app/scene.ts';
import {frameWords} from '../app/words.ts';
import {useWords} from '../core/i18n.ts';

/** An address of nothing: the rider can search. */
export default function NotFound() {
  const {w} = useWords(frameWords);
  useTitle(w.notFound);
  useEffect(() => painted.set(true), []);
  return (
    <>
      <Head title={w.notFound} />
      <p class="pad" id="not-found">{w.notFoundHint}</p>
      <div class="find-row"><a class="find" href={paths.search}><Icon name="search" /><span>{w.search}</span></a></div>
    </>
  );
}
