import {type ComponentType, render} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';

import {clock, live, now, offline, simulated, viewing} from '../core/city.ts';
import {type Lang, languages, speak, useWords} from '../core/i18n.ts';
import {motionPaused} from '../core/motion.ts';
import {fired} from '../core/reminders.ts';
import {Store, useStore} from '../core/store.ts';
import {announcement} from './frame.tsx';
import {Icon} from './icons.tsx';
import {MapHost, mapInfo} from './map-host.tsx';
import {replaceQuery, usePlace} from './route.ts';
import {painted} from './scene.ts';
import {type Tab, type ViewEntry, type ViewProps, viewOf} from './views.ts';
import {frameWords} from './words.ts';

interface Shown {
  entry: ViewEntry;
  params: Record<string, string>;
  View: ComponentType<ViewProps>;
  path: string;
}

/** Where each tab was left, so that a tab leads back there. */
const lastOf: Partial<Record<Tab, string>> = {};

/** How far each view was scrolled. */
const scrolls = new Map<string, number>();

/** The map's height on a phone, as the rider chose it. */
const tall = new Store(false);

/** Draws the app once its first view is there, so that what the server wrote stays until then. */
export async function startShell(root: HTMLElement): Promise<void> {
  const {entry, params} = viewOf(location.pathname);
  const module = await entry.load();
  root.replaceChildren();
  render(<App first={{entry, params, View: module.default, path: location.pathname}} />, root);
}

function App({first}: {first: Shown}) {
  const place = usePlace();
  const [shown, setShown] = useState(first);
  const {w, lang} = useWords(frameWords);
  const left = useRef<string>();

  useEffect(() => {
    const {entry, params} = viewOf(place.path);
    if (place.path === shown.path) return undefined;
    let current = true;
    entry.load().then(
      (module) => {
        if (!current) return;
        scrolls.set(shown.path, document.getElementById('view')?.scrollTop ?? 0);
        left.current = shown.path;
        setShown({entry, params, View: module.default, path: place.path});
      },
      () => current && location.reload(), // another version was deployed, so that the chunk is gone
    );
    return () => void (current = false);
  }, [place.path, shown.path]);

  const ready = useStore(painted);
  useEffect(() => void (ready && mapInfo().catch(() => undefined)), [ready]); // it says whether the data are simulated

  useLayoutEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);

  useEffect(() => {
    lastOf[shown.entry.tab] = shown.path + location.search;
    if (left.current === undefined) return;
    arrive(shown.path, left.current);
    painted.set(true); // only the first view comes before the map
  }, [shown]);

  const {View, entry, params, path} = shown;
  return (
    <>
      <a class="skip" href="#view" onClick={(e) => (e.preventDefault(), document.querySelector<HTMLElement>('#view h1')?.focus())}>{w.skip}</a>
      <Bar />
      <main id="view"><View key={path} params={params} query={place.query} /></main>
      <Tabs tab={entry.tab} />
      <MapHost size={entry.map} tall={tall} />
      <Fired />
      <Announcer />
      <FrameState size={entry.map} />
    </>
  );
}

/** Moves focus to the heading of the view, or, on the way back, to the link that had led away. */
function arrive(path: string, from: string): void {
  const view = document.getElementById('view');
  const link = [...(view?.querySelectorAll<HTMLElement>('a[href]') ?? [])].find((a) => new URL((a as HTMLAnchorElement).href).pathname === from);
  // A view may have focused what the rider wants at once, such as the field of the search.
  if (!view?.contains(document.activeElement)) (link ?? view?.querySelector<HTMLElement>('h1'))?.focus({preventScroll: true});
  if (view) view.scrollTop = scrolls.get(path) ?? 0;
}

/** What styles depend on. */
function FrameState({size}: {size: string}) {
  const high = useStore(tall);
  const still = useStore(motionPaused);
  useLayoutEffect(() => {
    const {dataset} = document.documentElement;
    dataset['map'] = size;
    dataset['tall'] = String(high);
    dataset['still'] = String(still);
  }, [size, high, still]);
  return null;
}

/** Changes the language; one that the address says gives way. */
function choose(code: Lang): void {
  replaceQuery({lang: undefined});
  speak(code);
}

function Bar() {
  const {w, lang} = useWords(frameWords);
  const past = useStore(viewing);
  useLayoutEffect(() => void (document.documentElement.dataset['past'] = String(past !== undefined)), [past]);
  return (
    <header id="bar">
      {past ? <p class="status past" role="status"><span>{past.text}</span> · <button type="button" id="to-now" onClick={past.leave}>{past.back}</button></p> : <Status />}
      {useStore(simulated) ? <strong class="badge" id="simulated" title={w.simulatedHint}>{w.simulated}</strong> : null}
      <div class="languages" role="group" aria-label={w.language}>
        {(Object.keys(languages) as Lang[]).map((code) => (
          <button key={code} type="button" lang={code} id={`speak-${code}`} aria-label={`${languages[code].short} – ${languages[code].name}`} aria-pressed={code === lang} onClick={() => choose(code)}>{languages[code].short}</button>
        ))}
      </div>
    </header>
  );
}

function Status() {
  const {w, f} = useWords(frameWords);
  const link = useStore(live.link);
  const since = useStore(live.lostSince);
  const time = useStore(now);
  const down = useStore(offline);
  if (down) return <p class="status lost" role="status"><span>{w.offline}</span></p>;
  if (link === 'lost') return <p class="status lost" role="status"><span>{w.lostSince(f.hour(since ?? Date.now()))}</span></p>;
  if (link !== 'live') return <p class="status"><span>{w.connecting}</span></p>;
  const rate = clock.rate === 1 ? '' : ` ${w.rate(f.number(clock.rate, 1))}`;
  return <p class="status live"><span>{w.live}</span> · <time dateTime={new Date(time).toISOString()}>{f.hour(time)}{rate}</time></p>;
}

const tabs: readonly {tab: Tab; href: string}[] = [{tab: 'near', href: '/'}, {tab: 'saved', href: '/saved'}, {tab: 'air', href: '/air'}, {tab: 'more', href: '/more'}];

function Tabs({tab}: {tab: Tab}) {
  const {w} = useWords(frameWords);
  return (
    <nav id="tabs" aria-label={w.tabs}>
      {tabs.map((to) => (
        <a key={to.tab} href={to.tab === tab ? to.href : (lastOf[to.tab] ?? to.href)} aria-current={to.tab === tab ? 'page' : undefined}>
          <Icon name={to.tab} /><span>{w[to.tab]}</span>
        </a>
      ))}
    </nav>
  );
}

/** A reminder that fired, until the rider has read it. */
function Fired() {
  const {w} = useWords(frameWords);
  const told = useStore(fired);
  if (!told) return null;
  return (
    <div class="fired" role="alertdialog" aria-label={told.title}>
      <p><b>{told.title}</b></p>
      <p>{told.body}</p>
      <button type="button" class="plain main" onClick={() => fired.set(undefined)}>{w.close}</button>
    </div>
  );
}

function Announcer() {
  return <p id="announcer" class="unseen" role="status">{useStore(announcement)}</p>;
}
