import {useEffect, useRef, useState} from 'preact/hooks';

import {Failed, Head, useTitle} from '../app/frame.tsx';
import {Icon, type IconName} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import {replaceQuery} from '../app/route.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {frameWords} from '../app/words.ts';
import {address} from '../core/api.ts';
import type {Format} from '../core/format.ts';
import {type Lang, useWords} from '../core/i18n.ts';
import {recall, remember} from '../core/memory.ts';
import {around, lookAround, writePlace} from '../core/place.ts';
import {usePolled} from '../core/poll.ts';
import {saved} from '../core/saved.ts';
import {useStore} from '../core/store.ts';
import type {Found} from '../openapi.ts';
import {fold} from './fold.ts';
import {type ViewWords, viewWords} from './view-words.ts';

/** How long typing may pause before the search, ms; how many searches are remembered. */
const pause = 200;
const mostRecent = 6;

type Hit = Found['found'][number];

/** Search for lines, stops, places and stations. What was typed stands in the address. */
export default function Search({query}: ViewProps) {
  const {w, f, lang} = useWords(viewWords);
  const {w: frame} = useWords(frameWords);
  const [text, setText] = useState(query.get('q') ?? '');
  const asked = (query.get('q') ?? '').trim().slice(0, 200);
  const place = useStore(around);
  const all = useStore(saved);
  const input = useRef<HTMLInputElement>(null);
  useTitle(w.searchTitle);
  useEffect(() => {
    painted.set(true);
    input.current?.focus();
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => text !== (query.get('q') ?? '') && replaceQuery({q: text || undefined}), pause);
    return () => clearTimeout(timer);
  }, [text]);
  const {data, error, again} = usePolled<Found>(asked ? address('/v1/search', {q: asked, near: writePlace(place.at), limit: 20}) : undefined, 0);
  const own = asked ? all.filter((item) => fold(`${item.name} ${item.line?.number ?? ''}`).includes(fold(asked))).slice(0, 3) : [];
  const recent = recall<string[]>('searches', []);
  const chosen = (): void => remember('searches', [asked, ...recent.filter((one) => one !== asked)].slice(0, mostRecent));
  return (
    <>
      <Head title={w.searchTitle} />
      <search class="find-row">
        <label class="unseen" for="q">{frame.search}</label>
        <input id="q" ref={input} class="find" type="search" enterkeyhint="search" autocomplete="off" spellcheck={false} maxLength={200} placeholder={frame.search} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </search>
      <p class="unseen" role="status">{data ? w.found(String(data.found.length)) : ''}</p>
      {asked ? null : <p class="pad meta">{w.searchHint}</p>}
      {!asked && recent.length > 0 ? (
        <>
          <h2 class="part">{w.recent}</h2>
          <ul class="list">{recent.map((one) => <li key={one}><button type="button" class="item" onClick={() => setText(one)}><Icon name="search" />{one}</button></li>)}</ul>
        </>
      ) : null}
      {asked && error && !data ? <Failed error={error} retry={again} /> : null}
      {asked && data?.found.length === 0 && own.length === 0 ? <p class="pad" id="none">{w.searchNone(asked)}</p> : null}
      {asked ? (
        <ul class="list" id="found" onClick={chosen}>
          {own.map((item) => <li key={`saved ${item.stop}${item.line?.route ?? ''}`}><a href={`${paths.stop(item.stop)}${item.line ? `?line=${encodeURIComponent(item.line.route)}` : ''}`}><Icon name="starred" /><span class="item-text"><b>{item.name}</b>{item.line ? <span class="meta">{w.line(item.line.number)} · {item.line.headsign}</span> : null}</span></a></li>)}
          {data?.found.map((hit) => <FoundRow key={keyOf(hit)} hit={hit} w={w} f={f} lang={lang} />)}
        </ul>
      ) : null}
    </>
  );
}

function keyOf(hit: Hit): string {
  return `${hit.kind} ${hit.route?.id ?? hit.stop?.id ?? hit.place?.zone ?? hit.place?.id ?? hit.station?.id ?? ''}`;
}

const icons: Record<Hit['kind'], IconName> = {route: 'bus', stop: 'stop', place: 'near', station: 'air'};

function FoundRow({hit, w, f, lang}: {hit: Hit; w: ViewWords; f: Format; lang: Lang}) {
  const far = hit.distance_m === undefined ? '' : f.distance(hit.distance_m);
  if (hit.route) {
    const {id, line, name, name_en, buses} = hit.route;
    return <li><a href={paths.line(id)}><span class="lineno">{line}</span><span class="item-text"><b>{(lang === 'en' && name_en) || name || w.line(line)}</b><span class="meta">{buses > 0 ? w.busesNow(String(buses)) : w.noBusesNow}</span></span></a></li>;
  }
  const named = hit.stop ?? hit.place ?? hit.station;
  if (!named) return null;
  const name = (lang === 'en' && named.name_en) || named.name || named.id;
  const {lat, lon} = named;
  const href = hit.kind === 'stop' ? paths.stop(named.id) : hit.kind === 'station' ? paths.station(named.id) : lat === undefined || lon === undefined ? undefined : `/?at=${lat.toFixed(5)},${lon.toFixed(5)}`;
  const text = <><Icon name={icons[hit.kind]} /><span class="item-text"><b>{name}</b><span class="meta">{[w.kinds[hit.kind], far].filter(Boolean).join(' · ')}</span></span></>;
  if (href === undefined) return <li><span class="item">{text}</span></li>;
  const look = hit.kind === 'place' && lat !== undefined && lon !== undefined ? () => lookAround({kind: 'picked', at: [lon, lat], name}) : undefined;
  return <li><a href={look ? '/' : href} {...(look ? {onClick: look} : {})}>{text}</a></li>;
}
