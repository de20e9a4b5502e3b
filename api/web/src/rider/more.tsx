import {useEffect} from 'preact/hooks';

import {Head, useTitle} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import {painted} from '../app/scene.ts';
import {frameWords} from '../app/words.ts';
import {type Lang, languages, speak, useWords} from '../core/i18n.ts';
import {motionPaused, pauseMotion} from '../core/motion.ts';
import {useStore} from '../core/store.ts';

/** Settings, reports, and what the app is. */
export default function More() {
  const {w, lang} = useWords(frameWords);
  const still = useStore(motionPaused);
  useTitle(w.more);
  useEffect(() => painted.set(true), []);
  return (
    <>
      <Head root title={w.more} />
      <ul class="list">
        <li><a href={paths.report({})}><Icon name="alert" /><span class="item-text"><b>{w.report}</b></span><Icon name="chevron" /></a></li>
        <li><a href="/docs" data-leave><Icon name="more" /><span class="item-text"><b>{w.apiDocs}</b></span><Icon name="chevron" /></a></li>
      </ul>
      <h2 class="part">{w.settings}</h2>
      <div class="buttons" role="group" aria-label={w.language}>
        {(Object.keys(languages) as Lang[]).map((code) => <button type="button" class="plain" key={code} lang={code} aria-pressed={code === lang} onClick={() => speak(code)}>{languages[code].name}</button>)}
      </div>
      <label class="switch"><input type="checkbox" checked={still} onChange={(event) => pauseMotion(event.currentTarget.checked)} /> {w.pauseMotion}</label>
      <p class="pad meta">{w.about} {w.privacy}</p>
    </>
  );
}
