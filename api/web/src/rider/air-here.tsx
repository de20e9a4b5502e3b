import {useEffect} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {withChoice} from '../air/air-parts.tsx';
import {airQuery, readChoice} from '../air/choice.ts';
import {PastBand} from '../air/past-band.tsx';
import {Icon} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import {replaceQuery} from '../app/route.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {address} from '../core/api.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import {readPlace, writePlace} from '../core/place.ts';
import {usePolled} from '../core/poll.ts';
import {terms} from '../core/terms.ts';
import type {Air} from '../openapi.ts';
import {className} from './air-brief.tsx';
import {classColors, classOf} from './eta.ts';
import NotFound from './not-found.tsx';
import {boundsOf, useSight} from './with-map.ts';
import {viewWords} from './view-words.ts';

/** The air at a place, as estimated between the stations, and what it means for people. */
export default function AirHere({params, query}: ViewProps) {
  const {w, f, lang} = useWords(viewWords);
  const at = readPlace(params['at'] ?? null);
  const {scale, time} = readChoice(query);
  const {data, error, again} = usePolled<Air>(at && address('/v1/air', {at: `${at[1].toFixed(5)},${at[0].toFixed(5)}`, ...airQuery({scale, time, quantity: undefined}, false)}), time === undefined ? 300_000 : 0);
  useTitle(w.airHere);
  useEffect(() => {
    if (data || error) painted.set(true);
  }, [data, error]);
  // at a past hour the buses of now would be wrong
  const past = time !== undefined;
  useSight(() => ({camera: at && {bounds: boundsOf([at]), maxZoom: 14.5}, shapes: {place: at}, only: past ? () => false : undefined}), params['at'] ?? '', `${params['at'] ?? ''} ${past}`, !past);
  if (!at) return <NotFound />;
  const air = data?.aqi;
  return (
    <>
      <PastBand time={time} leave={() => replaceQuery({time: undefined})} />
      <Head title={w.airHere} sub={data ? w.hourTo(f.hour(Date.parse(data.time))) : undefined} actions={<ShareButton title={w.airHere} />} />
      {!data ? error ? <Failed error={error} retry={again} /> : <Loading /> : null}
      {data && air ? (
        <div class="aqi" style={{'--air': air.level.color}}>
          <p class="aqi-value">≈{Math.round(air.value)}</p>
          <div>
            <p class="aqi-class"><i class="swatch" style={{background: air.level.color}} />{className(air, w, lang)}</p>
            <p class="meta">{[air.scale.replace('_', ' '), terms[lang].quantities[air.dominant] ?? air.dominant, air.low === undefined || air.high === undefined ? '' : w.between(String(Math.round(air.low)), String(Math.round(air.high))), w.estimated].filter(Boolean).join(' · ')}</p>
          </div>
        </div>
      ) : null}
      {data && !air ? <p class="note" id="no-air">{w.noAir}{data.why ? `: ${nameIn(data.why, lang)}` : ''}</p> : null}
      {data?.advice && air ? (
        <dl class="advice">
          {(['everyone', 'sensitive'] as const).map((who) => (data.advice?.[who] ? <div key={who}><dt>{w[who]}</dt><dd>{nameIn(data.advice[who], lang)}</dd></div> : null))}
        </dl>
      ) : null}
      <div class="buttons"><a class="plain" href={`/?at=${writePlace(at)}`}><Icon name="bus" />{w.busesHere}</a></div>
      {data && data.nearest.length > 0 ? <h2 class="part">{w.nearest}</h2> : null}
      <ul class="list">
        {data?.nearest.map((station) => (
          <li key={station.id}>
            <a href={withChoice(paths.station(station.id), query)}>
              <i class="swatch" style={{background: station.aqi === undefined ? 'transparent' : classColors[classOf(station.aqi)]}} />
              <span class="item-text">
                <b>{nameIn(station.name, lang) || station.id}</b>
                <span class="meta">{[f.distance(station.distance_m), station.kind === 'low-cost' ? w.sensor : '', station.estimated ? w.silentStation : station.state === 'stale' ? w.lostShort : ''].filter(Boolean).join(' · ')}</span>
              </span>
              <span class="strong">{station.aqi === undefined ? '–' : `${station.estimated ? '≈' : ''}${station.aqi} ${terms[lang].classes[classOf(station.aqi)]}`}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
