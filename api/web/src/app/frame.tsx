import type {ComponentChildren} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';

import {ApiError, troubleOf} from '../core/api.ts';
import {useWords} from '../core/i18n.ts';
import {Store} from '../core/store.ts';
import {Icon, type IconName} from './icons.tsx';
import {back} from './route.ts';
import {frameWords} from './words.ts';

// The parts that every view is built of.

/** What screen readers are told; a view says only what matters, and seldom. */
export const announcement = new Store('');

export function announce(text: string): void {
  announcement.set(text);
}

/** Sets the title of the page. */
export function useTitle(title: string): void {
  const {w} = useWords(frameWords);
  useEffect(() => {
    document.title = title ? `${title} – Nhịp` : w.title;
  }, [title, w]);
}

/** The heading of a view, which is focused when it is opened; with a way back unless it is a tab's first view. */
export function Head({title, sub, actions, root}: {title: ComponentChildren; sub?: ComponentChildren; actions?: ComponentChildren; root?: boolean}) {
  const {w} = useWords(frameWords);
  return (
    <div class="head">
      {root ? null : <IconButton icon="back" label={w.back} onClick={back} id="back" />}
      <div class="head-text">
        <h1 tabIndex={-1}>{title}</h1>
        {sub ? <p class="meta">{sub}</p> : null}
      </div>
      {actions ? <div class="head-actions">{actions}</div> : null}
    </div>
  );
}

export function IconButton({icon, label, onClick, pressed, id, disabled}: {icon: IconName; label: string; onClick: () => void; pressed?: boolean; id?: string; disabled?: boolean}) {
  return (
    <button type="button" class="round" id={id} aria-label={label} title={label} aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** Shares the address of the view, without the rider's position, which is in no address. */
export function ShareButton({title}: {title: string}) {
  const {w, lang} = useWords(frameWords);
  const share = async (): Promise<void> => {
    const url = new URL(location.href);
    if (lang === 'en') url.searchParams.set('lang', 'en');
    try {
      if (navigator.share) await navigator.share({title, url: url.href});
      else {
        await navigator.clipboard.writeText(url.href);
        announce(w.shared);
      }
    } catch {
      // the rider changed their mind
    }
  };
  return <IconButton icon="share" label={w.share} onClick={() => void share()} />;
}

/** Three grey rows; after a second they say what is being done. */
export function Loading({what}: {what?: string}) {
  const {w} = useWords(frameWords);
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" aria-busy="true">
      <p class="meta">{late ? (what ?? w.loading) : '\u00A0'}</p>
      {[0, 1, 2].map((i) => <div class="ghost" key={i}><i /><b /><s /></div>)}
    </div>
  );
}

/** What failed, why, and a button to try again; it counts down if the api asked to wait. */
export function Failed({error, retry}: {error: unknown; retry: () => void}) {
  const {w} = useWords(frameWords);
  const [left, setLeft] = useState(error instanceof ApiError ? (error.retryAfter ?? 0) : 0);
  const again = useRef(retry);
  again.current = retry;
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => {
      setLeft(left - 1);
      if (left === 1) again.current();
    }, 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div class="failed" role="status">
      <p>{w.troubles[troubleOf(error)]}</p>
      <button type="button" class="plain" disabled={left > 0} onClick={retry}>{left > 0 ? w.retryIn(String(left)) : w.retry}</button>
    </div>
  );
}
