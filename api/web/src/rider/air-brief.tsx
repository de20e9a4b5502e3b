import {Icon} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import type {LonLat} from '../core/contract.ts';
import {type Lang, nameIn, useWords} from '../core/i18n.ts';
import {terms} from '../core/terms.ts';
import type {Air, AirBrief} from '../openapi.ts';
import {classOf} from './eta.ts';
import {type RiderWords, riderWords} from './words.ts';

/** An estimate of the air, as `/v1/air` and stops have it. */
type Estimate = NonNullable<Air['aqi']> | AirBrief;

/** The class of an estimate; if its range reaches over two classes, both are named. */
export function className(air: Estimate, w: RiderWords, lang: Lang): string {
  const own = nameIn(air.level.name, lang);
  if (air.scale !== 'VN_AQI' || air.low === undefined || air.high === undefined) return own;
  const [low, high, at] = [classOf(air.low), classOf(air.high), classOf(air.value)];
  const other = high > at ? high : low < at ? low : at;
  return other === at ? own : w.maybe(own, terms[lang].classes[other] ?? '');
}

/** The air in one line: "≈129 Kém · PM2.5". It is estimated between stations, which ≈ says. */
export function AirLine({air, at, lang}: {air: Estimate | null | undefined; at: LonLat; lang: Lang}) {
  const {w} = useWords(riderWords);
  if (air === undefined) return null;
  return (
    <a class="air-line" href={paths.airAt(at)}>
      {air === null ? <span class="soft">{w.airUnknown}</span> : (
        <>
          <i class="swatch" style={{background: air.level.color}} />
          <span>≈{Math.round(air.value)} {className(air, w, lang)} <span class="meta">· {terms[lang].quantities[air.dominant] ?? air.dominant}</span></span>
        </>
      )}
      <Icon name="chevron" />
    </a>
  );
}
