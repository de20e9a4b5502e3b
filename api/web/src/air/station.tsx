import type {ComponentType} from 'preact';
import {useEffect, useMemo, useState} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {go, replaceQuery} from '../app/route.ts';
import {painted, useScene} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import NotFoundView from '../rider/not-found.tsx';
import {address, troubleOf} from '../core/api.ts';
import {clock} from '../core/city.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import type {Answers, ReadingRow, Station} from '../openapi.ts';
import './air.css';
import {airWords} from './air-words.ts';
import {hourDay} from './hour-day.ts';
import {AirOverlay} from './air-overlay.ts';
import {Badge, Swatch, valueText, withChoice} from './air-parts.tsx';
import {airQuery, type Choice, hourText, readChoice} from './choice.ts';
import {digitsOf, type Legend} from './classes.ts';
import {HistoryChart} from './history-chart.tsx';
import {hoursOfIndices, hoursOfReadings} from './history.ts';
import {PastBand} from './past-band.tsx';
import {reportedOf} from './stations.ts';
import {useAnswer} from './use-answer.ts';
import {useAirVersion} from './version.ts';

const NotFound = NotFoundView as ComponentType<ViewProps>;
const hour = 3_600_000;
const spans = {day: 24, week: 168} as const;

/** A station: its index, what it measures, and its last day or week; also at a past hour. */
export default function StationView(props: ViewProps) {
  const id = props.params['id'] ?? '';
  const choice = useMemo(() => readChoice(props.query), [props.query.toString()]);
  const {time, scale} = choice;
  const now = useAnswer<Station>(address(`/v1/stations/${encodeURIComponent(id)}`, {index: scale === 'VN_AQI' ? undefined : scale}), 60_000);
  const past = useAnswer<Answers['/v1/stations']>(time === undefined ? undefined : address('/v1/stations', airQuery(choice, false)));
  const legend = useAnswer<Legend>(address('/v1/legend', {index: scale === 'VN_AQI' ? undefined : scale}));
  const {w} = useWords(airWords);
  const then = past.data?.features.find(({properties}) => properties.id === id);
  const station = time === undefined ? now.data : (then ?? (past.data && now.data && withoutValues(now.data)));
  useEffect(() => void (station && painted.set(true)), [station !== undefined]);
  if (!station && now.error && troubleOf(now.error) === 'not_found') return <NotFound {...props} />;
  if (!station) return <><Head title={w.stations} />{now.error || past.error ? <Failed error={now.error ?? past.error} retry={() => (now.reload(), past.reload())} /> : <Loading what={w.working} />}</>;
  return <Shown station={station} advice={time === undefined ? now.data?.properties.advice : undefined} choice={choice} query={props.query} legend={legend.data} />;
}

/** A station at an hour in which it did not report. */
function withoutValues(station: Station): Station {
  const {aqi: _, advice: __, ...properties} = station.properties;
  return {...station, properties: {...properties, values: {}, state: 'live', time: null, age_s: null}};
}

function Shown({station, advice, choice, query, legend}: {station: Station; advice: Station['properties']['advice']; choice: Choice; query: URLSearchParams; legend: Legend | undefined}) {
  const {w, f, lang} = useWords(airWords);
  const p = station.properties;
  const s = reportedOf(station, choice, legend);
  const name = nameIn(p.name, lang) || p.id;
  const concentration = choice.quantity !== undefined;
  const text = valueText(f, s.value, choice.scale, concentration);
  useTitle(name);
  useStationScene(station, choice, legend, query);
  const shownTime = p.aqi?.time ?? p.time;
  return (
    <>
      <PastBand time={choice.time} leave={() => replaceQuery({time: undefined})} />
      <Head title={name} sub={[p.kind === 'low-cost' ? w.sensor : p.kind === 'reference' ? w.reference : '', p.owner, p.area].filter(Boolean).join(' · ')} actions={<ShareButton title={name} />} />
      <div class="air-now">
        <Badge color={s.doubt === 'suspect' ? undefined : s.level?.color} text={s.doubt === 'suspect' ? '!' : text} sensor={s.sensor} doubt={s.doubt} />
        <p><b>{s.doubt === 'suspect' ? w.withheld : s.value === undefined ? w.none : `${text} ${s.level ? nameIn(s.level.name as {vi: string; en: string}, lang) : ''}`}</b>
          <span class="meta">{[concentration ? w.scales[choice.quantity as 'pm25'] ?? '' : `${w.scales[choice.scale === 'US_EPA' ? 'us' : choice.scale === 'WHO' ? 'who' : 'vn']}`, s.value === undefined || concentration ? '' : (w.quantities[s.dominant ?? ''] ?? ''), shownTime ? hourDay(f, Date.parse(shownTime)) : ''].filter(Boolean).join(' · ')}</span>
          {s.doubt === 'stale' && p.time ? <span class="meta">{w.stale(f.ago(clock.age(p.time)))}</span> : null}
          {s.doubt === 'suspect' ? <span class="meta">{testsOf(p.values)}</span> : null}</p>
      </div>
      {advice && s.doubt !== 'suspect' ? <dl class="advice"><dt>{w.everyone}</dt><dd>{nameIn(advice.everyone as {vi: string; en: string}, lang)}</dd><dt>{w.sensitive}</dt><dd>{nameIn(advice.sensitive as {vi: string; en: string}, lang)}</dd></dl> : null}
      <History station={station} choice={choice} query={query} legend={legend} />
    </>
  );
}

/** The checks that values did not pass. */
function testsOf(values: Station['properties']['values']): string {
  return [...new Set(Object.values(values).flatMap(({tests}) => (tests ? [tests] : [])))].join(', ');
}

function useStationScene(station: Station, choice: Choice, legend: Legend | undefined, query: URLSearchParams): void {
  const {f} = useWords(airWords);
  const version = useAirVersion();
  const {id, name} = station.properties;
  const [lon, lat] = station.geometry?.coordinates ?? [];
  const overlay = useMemo(() => new AirOverlay({station: () => ({label: name?.vi ?? id, open: () => undefined}), zone: () => ({label: '', open: () => undefined})}), [id]);
  useMemo(() => {
    const s = reportedOf(station, choice, legend);
    overlay.show({choice: {...choice, ground: 'field', stations: true, wind: false}, zoneKind: undefined, winds: [], version, chosen: id, stations: [{...s, text: valueText(f, s.value, choice.scale, choice.quantity !== undefined)}]});
  }, [overlay, station, choice, legend, version]);
  useScene(useMemo(() => ({
    overlays: [overlay], ground: 'light' as const, ...(lon === undefined || lat === undefined ? {} : {camera: {center: [lon, lat] as const, zoom: 13}}),
    bare: (at: readonly [number, number]) => go(withChoice(paths.airAt(at), query)),
  }), [overlay, lon, lat]));
}

/** What it measures, and the line of what is chosen there. */
function History({station, choice, query, legend}: {station: Station; choice: Choice; query: URLSearchParams; legend: Legend | undefined}) {
  const {w, f, lang} = useWords(airWords);
  const p = station.properties;
  const [what, setWhat] = useState<string | undefined>(choice.quantity);
  const span = query.get('span') === 'week' ? 'week' : 'day';
  const end = choice.time === undefined ? Math.floor(clock.now() / hour) * hour : Date.parse(choice.time);
  const start = end - spans[span] * hour;
  const range = {from: hourText(start), to: hourText(end)};
  const base = `/v1/stations/${encodeURIComponent(p.id)}`;
  const index = choice.scale === 'VN_AQI' ? undefined : choice.scale;
  const indices = useAnswer<Answers['/v1/stations/{id}/aqi']>(what === undefined ? address(`${base}/aqi`, {...range, index}) : undefined);
  const measured = what ?? p.aqi?.dominant ?? 'pm25'; // beside the index, too: whether staff have changed what it stands on
  const readings = useAnswer<Answers['/v1/stations/{id}/readings']>(address(`${base}/readings`, {...range, quantity: measured, period: 'hour', index}));
  const rows = readings.data?.readings as ReadingRow[] | undefined;
  const changed = rows?.some(({level}) => level === 'reviewed') ?? false;
  const before = useAnswer<Answers['/v1/stations/{id}/readings']>(changed ? address(`${base}/readings`, {...range, quantity: measured, period: 'hour', level: 'automatic'}) : undefined);
  const hours = useMemo(() => (what === undefined ? indices.data && hoursOfIndices(indices.data.indices) : rows && hoursOfReadings(rows)), [what, indices.data, rows]);
  const was = useMemo(() => new Map(hoursOfReadings((before.data?.readings ?? []) as ReadingRow[]).map(({time, value}) => [time, value])), [before.data]);
  const asked = what === undefined ? indices : readings;
  const label = what === undefined ? w.scales[choice.scale === 'US_EPA' ? 'us' : choice.scale === 'WHO' ? 'who' : 'vn'] : `${w.quantities[what] ?? what} ${p.values[what]?.unit ?? 'µg/m³'}`;
  const revised = rows?.filter(({level}) => level === 'reviewed').map(({time, mean}) => {
    const [at, old] = [Date.parse(time), was.get(Date.parse(time))];
    return `${hourDay(f, at)} (${old === undefined ? '–' : f.value(old)} → ${mean === null || mean === undefined ? '–' : f.value(mean)})`;
  }) ?? [];
  return (
    <>
      <div class="air-choices" role="group" aria-label={w.values}>
        {(['day', 'week'] as const).map((name) => <button key={name} type="button" class="plain" id={`span-${name}`} aria-pressed={name === span} onClick={() => replaceQuery({span: name === 'day' ? undefined : name})}>{w[name]}</button>)}
        <a class="plain" data-leave href={address(`${base}/readings`, {...range, period: 'hour', format: 'csv'})} download>{w.csv}</a>
      </div>
      <h2 class="part">{w.chart(label, w[span])}</h2>
      {hours ? <HistoryChart what={label} span={w[span]} hours={hours} from={start} to={end} classes={what === undefined ? legend?.classes : undefined} digits={what === undefined ? digitsOf(choice.scale, false) : 1} was={was} /> : asked.error ? <Failed error={asked.error} retry={asked.reload} /> : <Loading />}
      {revised.length > 0 ? <p class="note" id="revised">{w.quantities[measured] ?? measured}: {w.revised(revised.slice(-3).join('; '))}</p> : null}
      <h2 class="part">{w.values}</h2>
      <ul class="list air-values">
        {p.aqi ? <li><button type="button" class="item" aria-pressed={what === undefined} onClick={() => setWhat(undefined)}><Swatch color={p.aqi.level.color} /><span class="item-text"><b>{w.index}</b></span><span class="air-level">{`${f.number(p.aqi.value, digitsOf(choice.scale, false))} ${nameIn(p.aqi.level.name as {vi: string; en: string}, lang)}`}</span></button></li> : null}
        {Object.entries(p.values).map(([q, v]) => {
          const sub = p.aqi?.sub_indices.find(({quantity}) => quantity === q);
          const doubt = v.flag === 3 || v.flag === 4;
          return (
            <li key={q}>
              <button type="button" class="item" aria-pressed={what === q} onClick={() => setWhat(q)}>
                <Swatch color={undefined} />
                <span class="item-text"><b>{w.quantities[q] ?? q}</b><span class="meta">{[doubt ? w.suspect : '', sub ? `${w.subIndex} ${f.number(sub.value, digitsOf(choice.scale, false))}` : '', hourDay(f, Date.parse(v.time))].filter(Boolean).join(' · ')}</span></span>
                <span class="air-level">{v.value === undefined || v.value === null ? '–' : `${f.value(v.value)} ${v.unit}`}</span>
              </button>
            </li>
          );
        })}
      </ul>
      <p class="pad"><a class="plain" href={withChoice(paths.air, query)}>{w.title}</a></p>
    </>
  );
}
