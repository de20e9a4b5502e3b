import {useEffect, useRef, useState} from 'preact/hooks';

import {announce, Failed, Head, IconButton, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {replaceQuery} from '../app/route.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {frameWords} from '../app/words.ts';
import {address, troubleOf} from '../core/api.ts';
import {anchor, live, useSlowNow} from '../core/city.ts';
import type {LonLat} from '../core/contract.ts';
import {useWords} from '../core/i18n.ts';
import {around} from '../core/place.ts';
import {usePolled} from '../core/poll.ts';
import {isSaved, type Saved, saved, toggleSaved} from '../core/saved.ts';
import {useStore} from '../core/store.ts';
import {busKey} from '../map/fleet.ts';
import {metres} from '../map/glide.ts';
import type {Arrivals, Departure, RouteDetail, Stop as StopAnswer} from '../openapi.ts';
import {AirLine} from './air-brief.tsx';
import {AlertBar, concerns} from './alerts.tsx';
import {etaOf, freshness, gone} from './eta.ts';
import NotFound from './not-found.tsx';
import {DepartureRow} from './row.tsx';
import {walkMinutes} from './say.ts';
import {TimetableSection} from './timetable.tsx';
import {boundsOf, useSight} from './with-map.ts';
import {viewWords} from './view-words.ts';

/** How often the board is asked for while the stream does not send it, ms. */
const often = 20_000;

/** Pedestrians walk 1.2 m/s along the streets, which are longer than the straight line by a quarter. */
const walkSpeed = 1.2 / 1.25;

/** Beyond this a rider does not walk to a stop, metres. */
const walkable = 3000;

/** The board of a stop: its next buses, where they are, the air there and the timetable. */
export default function Stop({params, query}: ViewProps) {
  const {w, f, lang} = useWords(viewWords);
  const {w: frame} = useWords(frameWords);
  const id = params['id'] ?? '';
  const now = useSlowNow();
  const stop = usePolled<StopAnswer>(`/v1/stops/${encodeURIComponent(id)}`, 300_000);
  const {board, error, again} = useBoard(id);
  const all = useStore(saved);
  const [timetable, setTimetable] = useState(false);
  const line = query.get('line') ?? undefined;
  const name = stop.data?.name ?? board?.stop.name ?? '';
  useTitle(name);
  useEffect(() => {
    if (board || error) painted.set(true);
  }, [board, error]);

  const fresh = board ? freshness(Date.parse(board.time), now) : 'fresh';
  const rows = board?.arrivals.filter((d) => !gone(d, now) && (line === undefined || d.route === line));
  const at: LonLat | undefined = stop.data ? [stop.data.lon, stop.data.lat] : board && [board.stop.lon, board.stop.lat];
  useBoardMap(id, at, rows, line);
  useSpoken(rows, now);

  if (stop.error && troubleOf(stop.error) === 'not_found') return <NotFound />;
  const alerts = board?.alerts ?? stop.data?.alerts ?? [];
  const item: Saved | undefined = at && savedItem(id, name, at, line, stop.data);
  return (
    <>
      <Head
        title={name || w.stop} sub={<Where stop={stop.data} at={at} />}
        actions={<>
          {item ? <IconButton icon={isSaved(all, item) ? 'starred' : 'star'} pressed={isSaved(all, item)} label={isSaved(all, item) ? frame.unsave : item.line ? w.saveLine(item.line.number) : frame.save} onClick={() => toggleSaved(item)} /> : null}
          <ShareButton title={name} />
        </>}
      />
      {at && stop.data?.air ? <AirLine air={stop.data.air} at={at} lang={lang} /> : null}
      <AlertBar alerts={alerts} now={now} />
      <LineChips stop={stop.data} line={line} />
      {error && board ? <p class="note" role="status">{w.offlineSince(f.hour(Date.parse(board.time)))}</p> : null}
      {fresh === 'clock' || fresh === 'timetable' ? <p class="pad meta">{w.predictedAt(f.hour(Date.parse(board?.time ?? '')))}</p> : null}
      {!board ? error ? <Failed error={error} retry={again} /> : <Loading what={w.finding} /> : null}
      <ul class="list deps" aria-label={w.board} id="board">
        {rows?.map((d) => (
          <DepartureRow
            key={`${d.trip ?? d.route} ${d.scheduled ?? d.vehicle}`} d={d} headsign={d.headsign} now={now} fresh={fresh} at={name} alert={alerts.some((alert) => concerns(alert, {route: d.route, trip: d.trip}))}
            href={d.vehicle && d.agency && d.state !== 'scheduled' ? paths.bus(d.agency, d.vehicle) : paths.line(d.route, d.direction)}
          />
        ))}
      </ul>
      {rows?.length === 0 ? <p class="pad" id="none">{w.none}</p> : null}
      <div class="buttons">
        <button type="button" class="plain" aria-expanded={timetable} onClick={() => setTimetable(!timetable)}>{w.timetableOf}</button>
        <a class="plain" href={paths.report({stop: id, line: stop.data?.lines.find(({route}) => route === line)?.line})}>{w.report}</a>
      </div>
      {timetable ? <TimetableSection stop={id} route={line} /> : null}
    </>
  );
}

function savedItem(stop: string, name: string, at: LonLat, route: string | undefined, data: StopAnswer | undefined): Saved {
  const line = data?.lines.find((one) => one.route === route);
  return {stop, name, at, ...(line ? {line: {route: line.route, number: line.line, direction: line.direction, headsign: line.headsign}} : {})};
}

/** How far the stop is on foot, and whether wheelchairs can board. */
function Where({stop, at}: {stop: StopAnswer | undefined; at: LonLat | undefined}) {
  const {w, f} = useWords(viewWords);
  const place = useStore(around);
  const far = at && place.kind !== 'default' ? metres(place.at, at) : undefined;
  const walk = far === undefined || far > walkable ? undefined : `${f.distance(far)} · ${w.walk(String(walkMinutes(far / walkSpeed)))}`;
  const wheels = stop?.wheelchair === 'possible' ? w.wheelchair : stop?.wheelchair === 'not_possible' ? w.noWheelchair : undefined;
  return <>{[walk, wheels].filter(Boolean).join(' · ') || `${w.stop}${stop?.code ? ` ${stop.code}` : ''}`}</>;
}

/** The lines of the stop, of which one may be chosen. */
function LineChips({stop, line}: {stop: StopAnswer | undefined; line: string | undefined}) {
  const {w} = useWords(viewWords);
  const lines = new Map(stop?.lines.map((one) => [one.route, one.line]));
  if (lines.size < 2) return null;
  const chip = (route: string | undefined, text: string) => (
    <button type="button" key={text} class="chip" aria-pressed={route === line} onClick={() => replaceQuery({line: route})}>{text}</button>
  );
  return <div class="chips" role="group" aria-label={w.line('')}>{chip(undefined, w.all)}{[...lines].map(([route, text]) => chip(route, text))}</div>;
}

/** The board, from the stream while it is live, and by asking otherwise. */
function useBoard(id: string): {board: Arrivals | undefined; error: unknown; again: () => void} {
  const link = useStore(live.link);
  const [sent, setSent] = useState<Arrivals>();
  const polled = usePolled<Arrivals>(address(`/v1/stops/${encodeURIComponent(id)}/arrivals`, {limit: 20}), link === 'live' && sent ? 120_000 : often);
  useEffect(() => live.want({stops: [id]}), [id]);
  useEffect(() => live.on('board', (board) => board.stop.id === id && setSent(board)), [id]);
  useEffect(() => {
    if (polled.data && !polled.error) anchor(polled.data.time);
  }, [polled.data]);
  const newest = sent && (!polled.data || Date.parse(sent.time) > Date.parse(polled.data.time)) ? sent : polled.data;
  // A board that the stream sends only when it changes is as fresh as the stream.
  const board = newest && sent && link === 'live' && newest === sent ? {...newest, time: new Date(Math.max(Date.parse(newest.time), live.heardAt())).toISOString()} : newest;
  return {board, error: polled.error, again: polled.again};
}

/** The stop, its buses and, if one line is chosen, its way. */
function useBoardMap(id: string, at: LonLat | undefined, rows: Departure[] | undefined, line: string | undefined): void {
  const route = usePolled<RouteDetail>(line === undefined ? undefined : `/v1/routes/${encodeURIComponent(line)}`, 0).data;
  const keys = new Set(rows?.flatMap((d) => (d.agency && d.vehicle && (d.state === 'live' || d.state === 'stale') ? [busKey(d.agency, d.vehicle)] : [])));
  const ways = route?.patterns.filter(({stops}) => stops.some((stop) => stop.id === id)).slice(0, 1).map(({shape}) => shape) ?? [];
  useSight(() => ({
    camera: at && {bounds: boundsOf([at]), maxZoom: 14.2},
    shapes: {chosen: at, ways},
    only: (bus) => keys.has(bus.key),
    chosen: keys,
  }), at ? id : '', `${at?.join()} ${[...keys].join()} ${ways.length}`);
}

/** Tells those who listen that a bus arrives, once for each and not more often than every 30 s. */
function useSpoken(rows: Departure[] | undefined, now: number): void {
  const {w} = useWords(viewWords);
  const told = useRef<Set<string>>();
  const last = useRef(0);
  useEffect(() => {
    if (!rows) return;
    const arriving = rows.filter((d) => etaOf(d, now).kind === 'arriving');
    const key = (d: Departure): string => `${d.trip} ${d.vehicle}`;
    if (!told.current) return void (told.current = new Set(arriving.map(key)));
    const next = arriving.find((d) => !told.current?.has(key(d)));
    if (!next || performance.now() - last.current < 30_000) return;
    told.current.add(key(next));
    last.current = performance.now();
    announce(w.sayArrived(next.line, next.headsign));
  });
}
