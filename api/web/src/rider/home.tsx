import {useEffect, useState} from 'preact/hooks';

import {Failed, Loading, useTitle} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {mapInfo} from '../app/map-host.tsx';
import {paths} from '../app/paths.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {frameWords} from '../app/words.ts';
import {address, troubleOf} from '../core/api.ts';
import {anchor, simulated, useSlowNow} from '../core/city.ts';
import type {LonLat, MapInfo} from '../core/contract.ts';
import {useWords} from '../core/i18n.ts';
import {around, lake, lookAround, readPlace, writePlace} from '../core/place.ts';
import {usePolled} from '../core/poll.ts';
import {useStore} from '../core/store.ts';
import {metres} from '../map/glide.ts';
import type {Air, Departures} from '../openapi.ts';
import {AirLine} from './air-brief.tsx';
import {AlertBar, concerns, useAlerts} from './alerts.tsx';
import {choose, freshness, rank} from './eta.ts';
import {Pinned} from './pinned.tsx';
import {LocateButton, PlaceMenu, placeName} from './place-menu.tsx';
import {DepartureRow} from './row.tsx';
import {boundsOf, useSight} from './with-map.ts';
import {riderWords} from './words.ts';

/** How often departures and air are asked for, ms. */
const often = 20_000;
const seldom = 300_000;

/** How far outside the network a rider may be to be shown departures, metres. */
const outsideBy = 5000;

/** The departures around the rider. */
export default function Home({query}: ViewProps) {
  const {w, f, lang} = useWords(riderWords);
  const {w: frame} = useWords(frameWords);
  const place = useStore(around);
  const now = useSlowNow();
  const [choosing, setChoosing] = useState(false);
  const picked = query.get('at');
  useTitle('');

  useEffect(() => {
    const at = readPlace(picked);
    if (at) lookAround({kind: 'picked', at}, false);
  }, [picked]);

  const path = address('/v1/departures', {near: writePlace(place.at), limit: 4});
  const {data, error, again} = usePolled<Departures>(path, often);
  const air = usePolled<Air>(address('/v1/air', {at: writePlace(place.at)}), seldom).data;
  const alerts = useAlerts();
  const away = useOutside(place.at);
  useEffect(() => {
    if (data && !error) anchor(data.time);
    if (data?.lines.some(({departures}) => departures.some(({origin}) => origin === 'simulated'))) simulated.set(true);
    if (data || error) requestAnimationFrame(() => requestAnimationFrame(() => painted.set(true)));
  }, [data, error]);

  const chosen = place.kind !== 'default';
  const stops = new Map(data?.lines.map(({stop}) => [stop.id, {id: stop.id, name: stop.name, at: [stop.lon, stop.lat] as const}]));
  const where = `${path} ${data !== undefined}`; // the camera stays where it is when departures come anew
  useSight(() => ({
    camera: {bounds: boundsOf([place.at, ...[...stops.values()].map(({at}) => at)]), maxZoom: innerWidth < 900 ? 15.5 : 14.5},
    shapes: {place: chosen ? place.at : undefined, stops: [...stops.values()]},
  }), where, `${where} ${[...stops.keys()].join()}`);
  useTravelling();

  const fresh = data ? freshness(Date.parse(data.time), now) : 'fresh';
  const rows = data?.lines.flatMap((line) => {
    const choice = choose(line.departures, line.walk_s, now);
    return choice ? [{line, choice}] : [];
  }).toSorted((a, b) => rank(a.choice.large, now, a.line.walk_s) - rank(b.choice.large, now, b.line.walk_s));
  const shownAlerts = alerts.filter((alert) => !rows || rows.some(({line}) => concerns(alert, {route: line.route, stop: line.stop.id})) || !alert.informed?.some((item) => item.route ?? item.stop ?? item.trip));

  return (
    <>
      <div class="find-row">
        <a class="find" href={paths.search}><Icon name="search" /><span>{frame.search}</span></a>
        <LocateButton />
      </div>
      <div class={`here ${place.kind === 'here' ? '' : 'long'}`}>
        <h1 class="here-name" tabIndex={-1}>
          <button type="button" id="place" aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>{placeName(place, w)}<span class="unseen">, {w.choosePlace}</span> <Icon name={choosing ? 'up' : 'down'} /></button>
        </h1>
        <AirLine air={air?.aqi} at={place.at} lang={lang} />
      </div>
      {choosing ? <PlaceMenu close={() => setChoosing(false)} /> : null}
      <AlertBar alerts={shownAlerts} now={now} />
      {error && data ? <p class="note" role="status">{troubleOf(error) === 'offline' ? w.offlineSince(f.hour(Date.parse(data.time))) : frame.troubles[troubleOf(error)]}</p> : null}
      <Pinned near={place.at} />
      {away ? <Outside /> : (
        <>
          {!data && !error ? <Loading what={w.finding} /> : null}
          {!data && error ? <Failed error={error} retry={again} /> : null}
          {data && fresh !== 'fresh' && fresh !== 'pale' ? <p class="pad meta">{w.predictedAt(f.hour(Date.parse(data.time)))}</p> : null}
          <ul class="list deps" aria-label={w.departures}>
            {rows?.map(({line, choice}) => (
              <DepartureRow
                key={`${line.route} ${line.direction ?? line.headsign}`} d={choice.large} later={choice.later} headsign={line.headsign} now={now} fresh={fresh}
                walk={line.walk_s} stop={line.stop.name} href={`${paths.stop(line.stop.id)}?line=${encodeURIComponent(line.route)}`}
                alert={alerts.some((alert) => concerns(alert, {route: line.route, stop: line.stop.id}))}
              />
            ))}
          </ul>
          {rows?.length === 0 ? <Nothing at={place.at} now={now} /> : null}
        </>
      )}
    </>
  );
}

/** Reports whether a place is far from every line; undefined while that is not known. */
function useOutside(at: LonLat): boolean | undefined {
  const [info, setInfo] = useState<MapInfo>();
  useEffect(() => void mapInfo().then(setInfo, () => undefined), []);
  const bounds = info?.bounds;
  if (!bounds) return undefined;
  const [west, south, east, north] = bounds;
  const nearest: LonLat = [Math.min(east, Math.max(west, at[0])), Math.min(north, Math.max(south, at[1]))];
  return metres(at, nearest) > outsideBy;
}

function Outside() {
  const {w} = useWords(riderWords);
  return (
    <div class="pad">
      <p class="strong" id="outside">{w.outside}</p>
      <p>{w.outsideHint}</p>
      <p class="buttons"><button type="button" class="plain" onClick={() => lookAround({kind: 'default', at: lake})}>{w.aroundLake}</button></p>
    </div>
  );
}

/** There is no departure: when the first one is, or how far the next stop. */
function Nothing({at, now}: {at: LonLat; now: number}) {
  const {w, f} = useWords(riderWords);
  const {data: later} = usePolled<Departures>(address('/v1/departures', {near: writePlace(at), limit: 1, minutes: 1440}), 0);
  const {data: wider} = usePolled<Departures>(later?.lines.length === 0 ? address('/v1/departures', {near: writePlace(at), limit: 2, radius: 3000}) : undefined, often);
  if (!later) return <p class="pad">{w.none}</p>;
  const times = later.lines.flatMap(({departures}) => departures.map((next) => Date.parse(next.scheduled ?? next.expected ?? ''))).filter((time) => time > now);
  if (times.length > 0) return <p class="pad" id="none">{w.noneFirst(f.hour(Math.min(...times)))}</p>;
  if (!wider) return <p class="pad" id="none">{w.noStops}</p>;
  const rows = wider.lines.toSorted((a, b) => a.walk_m - b.walk_m).slice(0, 5);
  if (rows.length === 0) return <p class="pad" id="none">{w.noStops}</p>;
  return (
    <>
      <p class="pad" id="none">{w.farStops(f.distance(rows[0]?.walk_m ?? 0))}</p>
      <ul class="list deps">
        {rows.map((line) => {
          const choice = choose(line.departures, line.walk_s, now);
          return choice ? <DepartureRow key={`${line.route} ${line.direction}`} d={choice.large} later={choice.later} headsign={line.headsign} now={now} fresh="fresh" walk={line.walk_s} stop={line.stop.name} href={paths.stop(line.stop.id)} /> : null;
        })}
      </ul>
    </>
  );
}

/** A rider who moves sees the departures of where they are: the position is asked for again when the page is seen. */
function useTravelling(): void {
  useEffect(() => {
    const seenAgain = (): void => {
      if (document.hidden || around.get().kind !== 'here') return;
      navigator.geolocation?.getCurrentPosition(({coords}) => {
        const to: LonLat = [coords.longitude, coords.latitude];
        if (around.get().kind === 'here' && metres(around.get().at, to) > 60) lookAround({kind: 'here', at: to});
      }, () => undefined, {maximumAge: 30_000, timeout: 15_000});
    };
    document.addEventListener('visibilitychange', seenAgain);
    return () => document.removeEventListener('visibilitychange', seenAgain);
  }, []);
}

