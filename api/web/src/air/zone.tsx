import type {ComponentType} from 'preact';
import {useEffect, useMemo} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {go, replaceQuery} from '../app/route.ts';
import {painted, useScene} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import NotFoundView from '../rider/not-found.tsx';
import {address} from '../core/api.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import type {Answers, Zone} from '../openapi.ts';
import './air.css';
import {airWords} from './air-words.ts';
import {AirOverlay} from './air-overlay.ts';
import {zonePath} from './air.tsx';
import {StationRow, Swatch, valueText, withChoice} from './air-parts.tsx';
import {airQuery, readChoice} from './choice.ts';
import {digitsOf, type Legend} from './classes.ts';
import {PastBand} from './past-band.tsx';
import {reportedOf, worstFirst} from './stations.ts';
import {useAnswer} from './use-answer.ts';
import {useAirVersion} from './version.ts';

const NotFound = NotFoundView as ComponentType<ViewProps>;

/** An area: its mean air, its worst place, and the stations in it; also at a past hour. */
export default function ZoneView(props: ViewProps) {
  const {query} = props;
  const {kind = '', id = ''} = props.params;
  const {w, f, lang} = useWords(airWords);
  const choice = useMemo(() => readChoice(query), [query.toString()]);
  const zones = useAnswer<Answers['/v1/zones']>(address('/v1/zones', {kind, ...airQuery(choice, false)}), choice.time === undefined ? 60_000 : undefined);
  const stations = useAnswer<Answers['/v1/stations']>(address('/v1/stations', airQuery(choice, false)));
  const legend = useAnswer<Legend>(address('/v1/legend', {index: choice.scale === 'VN_AQI' ? undefined : choice.scale}));
  const zone = zones.data?.zones.find((z) => z.id === id);
  const name = zone ? nameIn({vi: zone.name.vi ?? '', en: zone.name.en ?? zone.name.vi ?? ''}, lang) : '';
  const list = useMemo(() => worstFirst(
    (stations.data?.features ?? []).map((s) => reportedOf(s, choice, legend.data)), (s) => nameIn(s.name, lang) || s.id,
  ), [stations.data, choice, legend.data, lang]);
  const inside = list.filter((s) => zone?.stations.includes(s.id));
  useTitle(name);
  useEffect(() => void (zone && painted.set(true)), [zone !== undefined]);
  const version = useAirVersion();
  const overlay = useMemo(() => new AirOverlay({
    station: (of) => ({label: of, open: () => go(withChoice(paths.station(of), query))}),
    zone: (of, other, names) => ({label: nameIn(names, lang), open: () => go(withChoice(zonePath(of, other), query))}),
  }), []);
  useMemo(() => overlay.show({
    choice: {...choice, ground: 'zones', stations: true, wind: false}, zoneKind: kind, winds: [], version, chosen: undefined,
    stations: inside.map((s) => ({...s, text: valueText(f, s.value, choice.scale, choice.quantity !== undefined)})),
  }), [overlay, choice, kind, version, list, zone]);
  const box = useBox(kind, id, inside[0]?.at);
  useScene(useMemo(() => ({overlays: [overlay], ground: 'light' as const, ...(box ? {camera: {bounds: box}} : {})}), [overlay, box]));
  if (zones.data && !zone) return <NotFound {...props} />;
  return (
    <>
      <PastBand time={choice.time} leave={() => replaceQuery({time: undefined})} />
      <Head title={name || w.zones} {...(zone ? {sub: w.zoneAir} : {})} actions={<ShareButton title={name} />} />
      {zone ? <ZoneAir zone={zone} digits={digitsOf(choice.scale, false)} /> : zones.error ? <Failed error={zones.error} retry={zones.reload} /> : <Loading what={w.working} />}
      {zone ? <h2 class="part">{w.zoneStations}</h2> : null}
      {zone && inside.length === 0 && stations.data ? <p class="pad meta">{w.noZoneStations}</p> : null}
      <ol class="list">{inside.map((s) => <StationRow key={s.id} station={s} choice={choice} href={withChoice(paths.station(s.id), query)} />)}</ol>
      <p class="pad"><a class="plain" href={withChoice(paths.air, query)}>{w.title}</a></p>
    </>
  );
}

function ZoneAir({zone, digits}: {zone: Zone; digits: number}) {
  const {w, f, lang} = useWords(airWords);
  const {air, exceedance_hours: over} = zone;
  if (!air) return <p class="note">{w.zoneBlank}</p>;
  return (
    <>
      <div class="air-now">
        <Swatch color={air.level.color} />
        <p><b>≈{f.number(air.aqi, digits)} {nameIn(air.level.name as {vi: string; en: string}, lang)}</b>
          <span class="meta">{w.quantities[air.dominant] ?? air.dominant} · {w.known(f.number(air.known_pct))}</span></p>
      </div>
      <ul class="facts">
        <li>{w.zoneMax(f.number(air.max_aqi, digits), '')}</li>
        {over ? <li>{w.exceed(f.number(over.hours), f.number(over.known), f.number(over.above))}</li> : null}
        {air.quantities.map((q) => <li key={q.quantity}>{w.quantities[q.quantity] ?? q.quantity}: {f.value(q.mean)} {q.unit} ({f.value(q.max)})</li>)}
      </ul>
    </>
  );
}

type Box = readonly [west: number, south: number, east: number, north: number];

/** The box around an area. */
function useBox(kind: string, id: string, at: readonly [lon: number, lat: number] | undefined): Box | undefined {
  // asked for by a place in it, because all areas are half a megabyte
  const {data} = useAnswer<{features: {id: string; geometry: {coordinates: number[][][][]}}[]}>(at && address('/v1/zones.geojson', {kind, at: `${at[1]},${at[0]}`}));
  return useMemo(() => {
    const points = data?.features.find((x) => x.id === `${kind}/${id}`)?.geometry.coordinates.flat(2);
    return points?.reduce<Box | undefined>((box, [lon = 0, lat = 0]) => (box ? [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)] : [lon, lat, lon, lat]), undefined);
  }, [data, kind, id]);
}
