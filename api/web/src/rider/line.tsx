import {useEffect, useState} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {replaceQuery} from '../app/route.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {troubleOf} from '../core/api.ts';
import {anchor, live, useSlowNow} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import {usePolled} from '../core/poll.ts';
import {terms} from '../core/terms.ts';
import type {RouteAir, RouteDetail} from '../openapi.ts';
import {AlertBar, concerns} from './alerts.tsx';
import {busesBefore, stepAt, stopsAlong} from './along.ts';
import {classColors, classOf} from './eta.ts';
import NotFound from './not-found.tsx';
import {Crowding} from './row.tsx';
import {boundsOf, onMap, useOnMap, useSight} from './with-map.ts';
import {viewWords} from './view-words.ts';

/** How often the buses of the column are asked for; those of the map come by the stream. ms. */
const often = 20_000;

type Pattern = RouteDetail['patterns'][number];

/** The usual pattern of each direction: the one with most trips. */
export function usualPatterns(patterns: readonly Pattern[]): Pattern[] {
  const best = new Map<string, Pattern>();
  for (const pattern of patterns) {
    const key = String(pattern.direction ?? pattern.headsign);
    const known = best.get(key);
    if (!known || pattern.trips > known.trips) best.set(key, pattern);
  }
  return [...best.values()].toSorted((a, b) => (a.direction ?? 0) - (b.direction ?? 0));
}

/** A line: its stops as a column, the buses between them, and the air along it. */
export default function Line({params, query}: ViewProps) {
  const {w} = useWords(viewWords);
  const now = useSlowNow();
  const id = params['id'] ?? '';
  const path = `/v1/routes/${encodeURIComponent(id)}`;
  const {data, error, again} = usePolled<RouteDetail>(path, often);
  const [airy, setAiry] = useState(false);
  const air = usePolled<RouteAir>(airy ? `${path}/air` : undefined, 300_000).data;
  useTitle(data ? w.line(data.line) : '');
  useEffect(() => {
    if (data && !error) anchor(data.time);
    if (data || error) painted.set(true);
  }, [data, error]);
  const drawn = useOnMap() !== undefined;
  useEffect(() => (drawn ? live.want({lines: [id]}) : undefined), [id, drawn]);

  const patterns = data ? usualPatterns(data.patterns) : [];
  const chosen = patterns.find(({direction}) => String(direction) === query.get('dir')) ?? patterns[0];
  useLineMap(id, chosen);
  if (error && troubleOf(error) === 'not_found') return <NotFound />;
  const buses = data?.patterns.filter(({direction}) => direction === chosen?.direction).flatMap((p) => p.buses) ?? [];
  return (
    <>
      <Head
        title={<><span class="lineno">{data?.line ?? '…'}</span> {data?.name ?? ''}</>}
        sub={data ? (data.buses > 0 ? w.busesNow(String(data.buses)) : w.noBusesNow) : undefined}
        actions={<ShareButton title={data ? w.line(data.line) : ''} />}
      />
      <AlertBar alerts={data?.alerts ?? []} now={now} />
      {!data ? error ? <Failed error={error} retry={again} /> : <Loading /> : null}
      {patterns.length > 1 ? (
        <div class="directions" role="group" aria-label={w.direction}>
          {patterns.map((pattern, i) => (
            <button type="button" key={pattern.id} aria-pressed={pattern === chosen} onClick={() => replaceQuery({dir: String(pattern.direction ?? i)})}>
              <b>{i === 0 ? w.outbound : w.inbound}</b><span class="meta">{pattern.headsign}</span>
            </button>
          ))}
        </div>
      ) : null}
      {chosen && data ? (
        <>
          <div class="pad"><button type="button" class="plain" aria-pressed={airy} onClick={() => setAiry(!airy)}>{w.airAlong}</button></div>
          <Column pattern={chosen} buses={buses} route={data} air={air?.ways.find((way) => way.id === chosen.id)} />
        </>
      ) : null}
      <div class="buttons"><a class="plain" href={paths.report({line: data?.line})}>{w.report}</a></div>
    </>
  );
}

/** The stops of a pattern, one below the other, with the buses between them. */
function Column({pattern, buses, route, air}: {pattern: Pattern; buses: Pattern['buses']; route: RouteDetail; air: RouteAir['ways'][number] | undefined}) {
  const {w, f, lang} = useWords(viewWords);
  const alongs = stopsAlong(pattern.shape, pattern.stops.map(({lon, lat}) => [lon, lat]));
  const between = busesBefore(pattern.stops.map(({id}) => id), alongs, buses);
  const closed = (stop: string) => route.alerts.some((alert) => alert.effect === 'NO_SERVICE' && concerns(alert, {route: route.id, stop}) && alert.informed?.some((item) => item.stop === stop));
  const instead = (stop: string): string | undefined => {
    const id = route.alerts.flatMap((alert) => alert.informed ?? []).find((item) => item.stop === stop && item.substitute_stop)?.substitute_stop;
    return id && (route.patterns.flatMap(({stops}) => stops).find((other) => other.id === id)?.name ?? id);
  };
  return (
    <>
      {air?.mean && air.max ? <p class="pad meta">≈ {w.airAlongMean(`${air.mean.aqi} ${air.mean.level.name[lang]}`, `${air.max.aqi} ${air.max.level.name[lang]}`)}</p> : null}
      <ol class={`column ${air ? 'airy' : ''}`} aria-label={w.stopsOf}>
        {pattern.stops.map((stop, i) => {
          const step = air && stepAt(air.steps, alongs[i] ?? 0);
          const color = step?.aqi === undefined || step.aqi === null ? undefined : classColors[classOf(step.aqi)];
          return (
            <li key={`${stop.id} ${i}`} style={color ? {'--air': color} : undefined}>
              {between[i]?.map((bus) => (
                <a key={bus.id} class={`column-bus ${bus.state}`} href={paths.bus(bus.agency, bus.id)}>
                  <span class={`lineno ${bus.state === 'stale' ? 'stale' : ''}`}>{route.line}</span>
                  <span class="meta">{bus.state === 'stale' ? w.lostShort : <Crowding occupancy={bus.occupancy} f={f} lang={lang} />}<span class="unseen">{w.busBetween(bus.id)}</span></span>
                </a>
              ))}
              <a class="column-stop" href={`${paths.stop(stop.id)}?line=${encodeURIComponent(route.id)}`}>
                <i aria-hidden="true" />
                {closed(stop.id) ? <span><s>{stop.name}</s> <span class="alert">{[w.closed, instead(stop.id)].filter(Boolean).join(' → ')}</span></span> : <span>{stop.name}</span>}
                {step ? <span class="meta">{step.aqi === null ? '–' : `≈${step.aqi} ${terms[lang].classes[classOf(step.aqi)]}`}</span> : null}
              </a>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** The way of the line with its stops, and its buses, which glide along it. */
function useLineMap(id: string, pattern: Pattern | undefined): void {
  useSight(() => ({
    camera: pattern && {bounds: boundsOf(pattern.shape.length > 0 ? pattern.shape : pattern.stops.map(({lon, lat}) => [lon, lat]))},
    shapes: pattern ? {ways: [pattern.shape], stops: pattern.stops.map((stop) => ({id: stop.id, name: stop.name, at: [stop.lon, stop.lat]}))} : {},
    only: ({info}) => info.route === id,
  }), pattern?.id ?? '', pattern?.id ?? '', false);
  useEffect(() => {
    const follow = (): void => {
      const fleet = onMap.get()?.fleet;
      if (fleet) fleet.wayOf = ({route, direction}) => (pattern && route === id && direction === pattern.direction ? pattern.shape : undefined);
    };
    follow();
    const end = onMap.subscribe(follow);
    return () => {
      end();
      const fleet = onMap.get()?.fleet;
      if (fleet) fleet.wayOf = () => undefined;
    };
  }, [pattern?.id]);
}
