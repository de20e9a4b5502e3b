import type {ComponentChildren} from 'preact';

import {clock} from '../core/city.ts';
import type {Format} from '../core/format.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import type {Scale} from '../openapi.ts';
import {airWords} from './air-words.ts';
import {hourDay} from './hour-day.ts';
import type {Choice} from './choice.ts';
import {digitsOf, inkOn, type Legend} from './classes.ts';
import {counts, type Reported} from './stations.ts';

// Parts that the views of the air share.

/** A number as it stands in a symbol: rounded, and with a decimal where the scale has some. */
export function valueText(f: Format, value: number | undefined, scale: Scale, concentration: boolean): string {
  if (value === undefined) return '–';
  return f.number(value, value >= 100 ? 0 : digitsOf(scale, concentration));
}

/** The symbol of a station beside its name: the shape of the map's. */
export function Badge({color, text, sensor, doubt}: {color: string | undefined; text: string; sensor?: boolean; doubt?: string | undefined}) {
  const faint = color === undefined || doubt === 'silent' || doubt === 'none';
  const dashed = faint || doubt === 'stale';
  const shape = {fill: faint ? 'var(--stale-soft)' : color, stroke: dashed ? 'var(--stale)' : '#26323a', 'stroke-width': 2, 'stroke-dasharray': dashed ? '4 3' : undefined};
  return (
    <svg class="air-badge" viewBox="0 0 44 44" aria-hidden="true">
      {sensor ? <path d="M22 2.5 41.500 22 22 41.500 2.500 22z" {...shape} /> : <circle cx="22" cy="22" r="17" {...shape} />}
      {doubt === 'suspect' ? <path d="m10 30 20-20m-14 26 20-20m-24 8 12-12" stroke="#26323a" stroke-width="1.5" /> : null}
      <text x="22" y="22" dy=".36em" text-anchor="middle" fill={faint ? 'var(--stale)' : inkOn(color)} font-size={text.length > 3 ? 11 : 13.5}>{text}</text>
    </svg>
  );
}

/** A color of the legend, with the rim that keeps yellow visible. */
export function Swatch({color}: {color: string | undefined}) {
  return <svg class="air-swatch" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="5" fill={color ?? 'none'} stroke="#26323a" stroke-width="1.4" /></svg>;
}

/** The classes of the scale, by the Decision's names. */
export function LegendRow({legend}: {legend: Legend | undefined}) {
  const {w, f, lang} = useWords(airWords);
  if (!legend) return <ol class="air-legend" aria-label={w.legend} />;
  return (
    <ol class="air-legend" aria-label={w.legend}>
      {legend.classes.map(({number, name, color, from, to}) => (
        <li key={number}>
          <svg viewBox="0 0 10 10" preserveAspectRatio="none" aria-hidden="true"><rect width="10" height="10" fill={color} /></svg>
          <span>{nameIn(name as {vi: string; en: string}, lang)}</span>
          <small>{to === undefined ? `≥ ${f.number(from, 2)}` : `${f.number(from, 2)}–${f.number(to, 2)}`}</small>
        </li>
      ))}
    </ol>
  );
}

/** A station in a list; `more` stands behind the class. */
export function StationRow({station, choice, href, more}: {station: Reported; choice: Pick<Choice, 'scale' | 'quantity' | 'time'>; href: string; more?: ComponentChildren}) {
  const {f, lang} = useWords(airWords);
  const name = nameIn(station.name, lang) || station.id;
  const text = counts(station) || station.doubt === 'stale' ? valueText(f, station.value, choice.scale, choice.quantity !== undefined) : station.doubt === 'suspect' ? '!' : '–';
  const level = station.level && station.doubt !== 'suspect' ? nameIn(station.level.name as {vi: string; en: string}, lang) : '';
  return (
    <li>
      <a href={href} class="air-row">
        <Badge color={station.doubt === 'suspect' ? undefined : station.level?.color} text={text} sensor={station.sensor} doubt={station.doubt} />
        <span class="item-text"><b>{name}</b><span class="meta">{more ?? <StationMore station={station} choice={choice} />}</span></span>
        <span class="air-level">{level}</span>
      </a>
    </li>
  );
}

function StationMore({station, choice}: {station: Reported; choice: Pick<Choice, 'time' | 'quantity'>}) {
  const {w, f} = useWords(airWords);
  const ago = station.time === undefined ? '' : choice.time === undefined ? f.ago(clock.age(station.time)) : hourDay(f, Date.parse(station.time));
  const parts: string[] = [];
  if (station.doubt === 'suspect') parts.push(w.suspect);
  else if (station.doubt === 'none') parts.push(w.none);
  else if (station.doubt === 'silent') parts.push(w.silent);
  if (station.value !== undefined && station.doubt !== 'suspect' && choice.quantity === undefined && station.dominant) parts.push(w.quantities[station.dominant] ?? station.dominant);
  if (station.doubt === 'stale') parts.push(w.stale(ago));
  else if (ago) parts.push(ago);
  if (station.sensor) parts.push(w.sensorShort);
  return <>{parts.join(' · ')}</>;
}

/** The address of a view of the air with the choice of the one that leads to it. */
export function withChoice(path: string, query: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of ['index', 'quantity', 'time', 'layer']) {
    const value = query.get(name);
    if (value !== null) kept.set(name, value);
  }
  const text = kept.toString();
  return text ? `${path}?${text}` : path;
}
