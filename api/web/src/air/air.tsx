import {useEffect, useMemo, useRef, useState} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {go, replaceQuery} from '../app/route.ts';
import {painted, useScene} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {address} from '../core/api.ts';
import {live} from '../core/city.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import {useStore} from '../core/store.ts';
import type {Answers, Scale, Zone} from '../openapi.ts';
import './air.css';
import {airWords} from './air-words.ts';
import {AirOverlay, type Wind} from './air-overlay.ts';
import {LegendRow, StationRow, Swatch, valueText, withChoice} from './air-parts.tsx';
import {airQuery, type Choice, choiceQuery, readChoice, scaleId, scales} from './choice.ts';
import type {Legend} from './classes.ts';
import {HourSlider} from './hour-slider.tsx';
import {PastBand} from './past-band.tsx';
import {PictureButton} from './picture-button.tsx';
import {reportedOf, summaryOf, worstFirst} from './stations.ts';
import {useAnswer} from './use-answer.ts';
import {useAirVersion} from './version.ts';
import {useWind} from './wind.ts';

/** How often the stations of now are asked for, ms: they report every five minutes at most. */
const again = 60_000;

/** No winds: the same list each time. */
const none: readonly Wind[] = [];

/** The map of the air: stations, the estimate between them or the areas, now or at an hour of the last day. */
export default function Air({query}: ViewProps) {
  const {w, f, lang} = useWords(airWords);
  const choice = useChoice(query);
  const {scale, time} = choice;
  useTitle(w.title);
  const legend = useAnswer<Legend>(address('/v1/legend', {index: indexOf(scale)}));
  const stations = useAnswer<Answers['/v1/stations']>(address('/v1/stations', airQuery(choice, false)), time === undefined ? again : undefined);
  const hours = useAnswer<Answers['/v1/air/hours']>('/v1/air/hours', 5 * again);
  const zones = useAnswer<Answers['/v1/zones']>(choice.ground === 'zones' ? address('/v1/zones', airQuery(choice, false)) : undefined);
  const list = useMemo(
    () => worstFirst((stations.data?.features ?? []).map((s) => reportedOf(s, choice, legend.data)), (s) => nameIn(s.name, lang) || s.id),
    [stations.data, choice, legend.data, lang],
  );
  const kind = mainKind(zones.data?.zones);
  const winds = useWind(choice.wind, time);
  useAirScene({choice, list, kind, query, winds: winds ?? none});
  useEffect(() => void (stations.data && requestAnimationFrame(() => painted.set(true))), [stations.data !== undefined]);
  const change = (to: Partial<Choice>): void => replaceQuery(choiceQuery({...choice, ...to}));
  const summary = summaryOf(list);
  return (
    <>
      <PastBand time={time} leave={() => change({time: undefined})} />
      <Head title={w.title} root actions={<><PictureButton choice={choice} list={list} legend={legend.data} kind={kind} /><ShareButton title={w.title} /></>} />
      <div class="air-choices">
        <ScaleSwitch choice={choice} change={change} />
        <LayerMenu choice={choice} change={change} kind={kind} />
      </div>
      <LegendRow legend={legend.data} />
      <HourSlider hours={hours.data} time={time} choose={(to) => change({time: to})} />
      <Summary {...summary} choice={choice} old={stations.old} text={(v) => valueText(f, v, scale, choice.quantity !== undefined)} />
      {stations.data && (stations.staleMs > 0 || stations.error) ? <p class="note" role="status">{w.offlineSince(f.hour(Date.parse(stations.data.time)))}</p> : null}
      {choice.wind && winds ? <p class="pad meta" role="status">{winds.length === 0 ? w.noWind : winds.length === 1 && winds[0] ? w.windFrom(f.number(winds[0].speed, 1), w.winds.split(',')[Math.round(winds[0].from / 45) % 8] ?? '') : w.windCount(f.number(winds.length), f.number(winds.reduce((sum, {speed}) => sum + speed, 0) / winds.length, 1))}</p> : null}
      {stations.data ? null : stations.error ? <Failed error={stations.error} retry={stations.reload} /> : <Loading what={w.working} />}
      {choice.ground === 'zones' && zones.data ? <ZoneList zones={zones.data.zones.filter((z) => z.kind === kind)} query={query} /> : null}
      {list.length > 0 ? <h2 class="part">{w.stations}</h2> : null}
      <ol class="list" data-old={stations.old || undefined} aria-busy={stations.old}>
        {list.map((s) => <StationRow key={s.id} station={s} choice={choice} href={withChoice(paths.station(s.id), query)} />)}
      </ol>
      <p class="meta pad">{w.shapes}</p>
    </>
  );
}

/** The choice of an address; the same object as long as the address says the same, whatever the camera does. */
function useChoice(query: URLSearchParams): Choice {
  return useMemo(() => readChoice(query), ['index', 'quantity', 'layer', 'time'].map((name) => query.get(name)));
}

function indexOf(scale: Scale): Scale | undefined {
  return scale === 'VN_AQI' ? undefined : scale;
}

/** The kind whose areas are the largest: several kinds lie on one another. */
export function mainKind(zones: readonly Zone[] | undefined): string | undefined {
  return zones?.reduce<Zone | undefined>((a, b) => (a === undefined || b.area_km2 > a.area_km2 ? b : a), undefined)?.kind;
}

/** Declares what the map shows. */
function useAirScene({choice, list, kind, query, winds}: {choice: Choice; list: ReturnType<typeof worstFirst>; kind: string | undefined; query: URLSearchParams; winds: readonly Wind[]}): void {
  const {f, lang} = useWords(airWords);
  const version = useAirVersion();
  const latest = useRef({list, query, lang});
  latest.current = {list, query, lang};
  const overlay = useMemo(() => new AirOverlay({
    station: (id) => {
      const found = latest.current.list.find((s) => s.id === id);
      return {label: nameIn(found?.name, latest.current.lang) || id, open: () => go(withChoice(paths.station(id), latest.current.query))};
    },
    zone: (of, id, names) => ({label: nameIn(names, latest.current.lang), open: () => go(withChoice(zonePath(of, id), latest.current.query))}),
  }), []);
  const concentration = choice.quantity !== undefined;
  useMemo(() => overlay.show({
    choice, zoneKind: kind, winds, version, chosen: undefined,
    stations: list.map((s) => ({...s, text: valueText(f, s.value, choice.scale, concentration)})),
  }), [overlay, choice, kind, winds, version, list, f]);
  const bounds = useMemo(() => boundsOf(list), [list.length > 0]);
  useScene(useMemo(() => ({
    overlays: [overlay], ground: 'light' as const, ...(bounds ? {camera: {bounds, maxZoom: 12.5}} : {}),
    bare: (at: readonly [number, number]) => go(withChoice(paths.airAt(at), latest.current.query)),
  }), [overlay, bounds]));
}

/** The address of an area. */
export function zonePath(kind: string, id: string): string {
  return `/air/zone/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`;
}

type Box = readonly [west: number, south: number, east: number, north: number];

function boundsOf(list: readonly {at: readonly [number, number] | undefined}[]): Box | undefined {
  const places = list.flatMap(({at}) => (at ? [at] : []));
  if (places.length === 0) return undefined;
  const [lons, lats] = [places.map(([lon]) => lon), places.map(([, lat]) => lat)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** The switch of scales, which names the one that is shown. */
function ScaleSwitch({choice, change}: {choice: Choice; change: (to: Partial<Choice>) => void}) {
  const {w} = useWords(airWords);
  return (
    <select id="scale" aria-label={w.scale} value={scaleId(choice)} onChange={(e) => {
      const to = scales.find(({id}) => id === e.currentTarget.value);
      if (to) change({scale: to.scale, quantity: to.quantity});
    }}>
      {scales.map(({id}) => <option key={id} value={id} selected={id === scaleId(choice)}>{w.scales[id]}</option>)}
    </select>
  );
}

function LayerMenu({choice, change, kind}: {choice: Choice; change: (to: Partial<Choice>) => void; kind: string | undefined}) {
  const {w} = useWords(airWords);
  const [open, setOpen] = useState(false);
  const known = useAnswer<Answers['/v1/zones']>(open && kind === undefined ? '/v1/zones' : undefined);
  const shown = kind ?? mainKind(known.data?.zones);
  const grounds = (['field', 'zones', 'none'] as const).filter((ground) => ground !== 'zones' || shown !== undefined);
  return (
    <details class="layers" onToggle={(e) => setOpen(e.currentTarget.open)} onKeyDown={(e) => e.key === 'Escape' && (e.currentTarget.open = false)}>
      <summary class="plain" id="layers">{w.layers}</summary>
      <div class="layer-list">
        {grounds.map((ground) => (
          <label key={ground}><input type="radio" name="ground" value={ground} checked={choice.ground === ground} onChange={() => change({ground})} />{ground === 'zones' ? (w.zoneKinds[shown ?? ''] ?? w.layer.zones) : w.layer[ground]}</label>
        ))}
        <label><input type="checkbox" checked={choice.stations} onChange={(e) => change({stations: e.currentTarget.checked})} />{w.layer.stations}</label>
        <label><input type="checkbox" checked={choice.wind} onChange={(e) => change({wind: e.currentTarget.checked})} />{w.layer.wind}</label>
        <p class="meta">{w.pale}</p>
      </div>
    </details>
  );
}

function Summary({known, all, worst, choice, old, text}: ReturnType<typeof summaryOf> & {choice: Choice; old: boolean; text: (value: number) => string}) {
  const {w, f, lang} = useWords(airWords);
  const link = useStore(live.link);
  if (all === 0) return <p class="air-summary" />;
  if (!worst) return <p class="air-summary" role="status">{choice.time === undefined ? w.noneKnown(f.number(all)) : w.notPast}</p>;
  const level = nameIn(worst.level?.name as {vi: string; en: string} | undefined, lang);
  return (
    <p class="air-summary" data-old={old || link === 'lost' || undefined}>
      <b>{w.summary(f.number(known), f.number(all))}</b> · <Swatch color={worst.level?.color} /> {w.worst(nameIn(worst.name, lang) || worst.id, text(worst.value ?? 0), level)}
    </p>
  );
}

function ZoneList({zones, query}: {zones: readonly Zone[]; query: URLSearchParams}) {
  const {w, f, lang} = useWords(airWords);
  const sorted = zones.toSorted((a, b) => (b.air?.aqi ?? -1) - (a.air?.aqi ?? -1));
  return (
    <>
      <h2 class="part">{w.zoneKinds[zones[0]?.kind ?? ''] ?? w.zones}</h2>
      <ol class="list">
        {sorted.map((z) => (
          <li key={z.id}>
            <a class="air-row" href={withChoice(zonePath(z.kind, z.id), query)}>
              <Swatch color={z.air?.level.color} />
              <span class="item-text"><b>{nameIn({vi: z.name.vi ?? '', en: z.name.en ?? z.name.vi ?? ''}, lang)}</b>
                {z.exceedance_hours ? <span class="meta">{w.exceed(f.number(z.exceedance_hours.hours), f.number(z.exceedance_hours.known), f.number(z.exceedance_hours.above))}</span> : null}</span>
              <span class="air-level">{z.air ? `≈${f.number(z.air.aqi, 1)} ${nameIn(z.air.level.name as {vi: string; en: string}, lang)}` : '–'}</span>
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}

