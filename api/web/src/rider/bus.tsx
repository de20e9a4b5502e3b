import {useEffect} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {troubleOf} from '../core/api.ts';
import {useSlowNow} from '../core/city.ts';
import type {LonLat} from '../core/contract.ts';
import {useWords} from '../core/i18n.ts';
import {usePolled} from '../core/poll.ts';
import {busKey} from '../map/fleet.ts';
import type {BusAhead, Departure, RouteDetail, StopAhead} from '../openapi.ts';
import {Bell} from './bell.tsx';
import {etaOf, freshness} from './eta.ts';
import NotFound from './not-found.tsx';
import {Crowding} from './row.tsx';
import {sayEta, speakEta} from './say.ts';
import {boundsOf, useSight} from './with-map.ts';
import {viewWords} from './view-words.ts';

/** How often the bus is asked for, ms; its place on the map comes by the stream. */
const often = 15_000;

type Info = BusAhead['properties'] & {stops_ahead?: StopAhead[]; layover?: boolean; off_route?: boolean};

/** A bus: where it goes, the stops ahead with their minutes, how crowded it is and how old its position. */
export default function Bus({params}: ViewProps) {
  const {w, f, lang} = useWords(viewWords);
  const now = useSlowNow();
  const [agency, id] = [params['agency'] ?? '', params['id'] ?? ''];
  const {data, error, again} = usePolled<BusAhead>(`/v1/buses/${encodeURIComponent(agency)}/${encodeURIComponent(id)}`, often);
  const info = data?.properties as Info | undefined;
  const doubtful = info?.confidence !== undefined && info.confidence < 0.8;
  const unknown = info?.confidence !== undefined && info.confidence < 0.5;
  const line = unknown ? undefined : info?.line || info?.route;
  useTitle(line ? w.line(line) : w.bus);
  useEffect(() => {
    if (data || error) painted.set(true);
  }, [data, error]);
  useBusMap(busKey(agency, id), data, info);

  if (error && troubleOf(error) === 'not_found') return <NotFound />;
  const age = info ? (now - Date.parse(info.time)) / 1000 : 0;
  const lost = info !== undefined && (info.state === 'stale' || age > info.stale_after_s);
  return (
    <>
      <Head
        title={<>{line ? <span class={`lineno ${lost ? 'stale' : doubtful ? 'likely' : ''}`}>{line}</span> : null} {info?.headsign && !unknown ? info.headsign : w.bus}</>}
        sub={info ? lost ? w.lost(String(Math.max(1, Math.floor(age / 60)))) : w.seen(f.ago(Math.max(0, age))) : undefined}
        actions={<ShareButton title={line ? w.line(line) : w.bus} />}
      />
      {!data ? error ? <Failed error={error} retry={again} /> : <Loading /> : null}
      {info ? (
        <>
          {lost ? <p class="note" id="lost">{w.lost(String(Math.max(1, Math.floor(age / 60))))}</p> : null}
          {!lost && (info.off_route || info.status === 'off_route') ? <p class="note warn">{w.offRoute}</p> : null}
          {!lost && info.layover ? <p class="note">{w.layover}</p> : null}
          {!lost && info.status === 'deadhead' ? <p class="note">{w.deadhead}</p> : null}
          <dl class="facts">
            <div><dt>{w.plate}</dt><dd>{info.plate || info.id}</dd></div>
            {!lost && info.occupancy && terms(info.occupancy) ? <div><dt>{w.crowding}</dt><dd><Crowding occupancy={info.occupancy} f={f} lang={lang} /></dd></div> : null}
            {doubtful && line ? <div><dt>{w.line('')}</dt><dd>{w.likelyLine(line)}</dd></div> : null}
          </dl>
          <div class="buttons">
            {info.route && !unknown ? <a class="plain" href={paths.line(info.route, info.direction)}>{w.line(line ?? '')}</a> : null}
            <a class="plain" href={paths.report({bus: `${agency}/${id}`, line})}>{w.report}</a>
          </div>
          <h2 class="part">{w.stopsAhead}</h2>
          {info.stops_ahead && info.stops_ahead.length > 0 && !unknown ? <Ahead stops={info.stops_ahead} info={info} now={now} /> : <p class="pad">{w.noStopsAhead}</p>}
        </>
      ) : null}
    </>
  );
}

function terms(occupancy: string): boolean {
  return occupancy !== 'NO_DATA_AVAILABLE' && occupancy !== 'NOT_BOARDABLE';
}

/** The stops that the bus has not reached, with the minutes that boards tell. */
function Ahead({stops, info, now}: {stops: StopAhead[]; info: Info; now: number}) {
  const {w, f} = useWords(viewWords);
  const fresh = freshness(Date.parse(info.time), now);
  return (
    <ol class="list ahead">
      {stops.map((stop) => {
        const eta = stop.state === undefined ? undefined : etaOf(asDeparture(stop, info), now, fresh);
        const said = eta && sayEta(eta, w, f);
        return (
          <li key={`${stop.id} ${stop.index}`}>
            <a href={paths.stop(stop.id)}>
              <span class="unseen">{[stop.name, eta && speakEta(eta, w, f), stop.drop_off === 'none' ? w.noDropOff : undefined].filter(Boolean).join(', ')}</span>
              <span class="item-text" aria-hidden="true"><b>{stop.name}</b>{stop.drop_off === 'none' ? <span class="meta">{w.noDropOff}</span> : null}</span>
              {said ? <span aria-hidden="true" class={`eta ${said.soft ? 'soft' : ''}`}>{said.figure ? <b>{said.figure}</b> : <span>{said.words}</span>}{said.unit ? <small> {said.unit}</small> : null}{said.below ? <i>{said.below}</i> : null}</span> : null}
            </a>
            {stop.state !== undefined && stop.drop_off !== 'none' ? <Bell line={`${info.line ?? ''} ${stop.name}`} stopName={stop.name} wishes={[{kind: 'get_off', stop: stop.id, agency: info.agency, vehicle: info.id, stops: 1}]} /> : null}
          </li>
        );
      })}
    </ol>
  );
}

/** A stop ahead as a departure, of which the same may be said. */
function asDeparture(stop: StopAhead, info: Info): Departure {
  const {id, index: _i, name: _n, lat: _a, lon: _o, state = 'live', ...rest} = stop;
  return {route: info.route ?? '', line: info.line ?? '', headsign: info.headsign ?? '', minutes: 0, ...rest, stop: id, state, time: info.time, ...(info.confidence === undefined ? {} : {confidence: info.confidence})};
}

/** The bus, its line and where it stops next. */
function useBusMap(key: string, data: BusAhead | undefined, info: Info | undefined): void {
  const route = usePolled<RouteDetail>(info?.route === undefined ? undefined : `/v1/routes/${encodeURIComponent(info.route)}`, 0).data;
  const pattern = route?.patterns.find(({id}) => id === info?.pattern);
  const at: LonLat | undefined = data && [data.geometry.coordinates[0] ?? 0, data.geometry.coordinates[1] ?? 0];
  const next = info?.stops_ahead?.slice(0, 2).map(({lon, lat}): LonLat => [lon, lat]) ?? [];
  useSight(() => ({
    camera: at && {bounds: boundsOf([at, ...next]), maxZoom: 15.5},
    shapes: {ways: pattern ? [pattern.shape] : [], stops: info?.stops_ahead?.map((stop) => ({id: stop.id, name: stop.name, at: [stop.lon, stop.lat] as const})) ?? []},
    chosen: new Set([key]),
    only: (bus) => bus.key === key || bus.info.route !== undefined && bus.info.route === info?.route,
  }), at ? key : '', `${key} ${pattern?.id} ${info?.stops_ahead?.[0]?.id}`);
}
