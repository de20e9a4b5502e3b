import {useState} from 'preact/hooks';

import {Icon} from '../app/icons.tsx';
import {live} from '../core/city.ts';
import {type Lang, useWords} from '../core/i18n.ts';
import {usePolled} from '../core/poll.ts';
import {Store, useStore} from '../core/store.ts';
import type {ServiceAlert, ServiceAlerts} from '../openapi.ts';
import {riderWords} from './words.ts';

/** How often the alerts are asked for while there is no stream, ms. */
const every = 30_000;

/** The active alerts by the stream; undefined until it has told all of them. */
const streamed = new Store<readonly ServiceAlert[] | undefined>(undefined);

const known = new Map<string, ServiceAlert>();
const publish = (): void => streamed.set([...known.values()]);
const key = ({feed, id}: {feed: string; id: string}): string => `${feed} ${id}`;
live.on('hello', () => known.clear());
live.on('ready', publish);
live.on('service-alert', (alert) => {
  known.set(key(alert), alert);
  if (streamed.get()) publish();
});
live.on('alertGone', (gone) => {
  known.delete(key(gone));
  publish();
});

/** The active service alerts of the city: by the stream, and by asking while it is lost. */
export function useAlerts(): readonly ServiceAlert[] {
  const link = useStore(live.link);
  const told = useStore(streamed);
  const {data} = usePolled<ServiceAlerts>(link === 'lost' ? '/v1/service-alerts' : undefined, every);
  return (link === 'lost' ? (data?.alerts ?? told) : told)?.filter(({active}) => active) ?? [];
}

/** A text of an alert in a language, or in the one that the operator wrote. */
export function alertText(all: ServiceAlert['header'], lang: Lang): string {
  return (all?.find(({language}) => language?.startsWith(lang)) ?? all?.find(({language}) => !language) ?? all?.[0])?.text ?? '';
}

/** When an alert ends, if it does; ms. */
export function alertEnd(alert: ServiceAlert, now: number): number | undefined {
  const ends = (alert.periods ?? []).filter(({from}) => from === undefined || Date.parse(from) <= now).map(({to}) => (to === undefined ? Infinity : Date.parse(to)));
  const end = Math.max(-Infinity, ...ends.filter((to) => to > now));
  return Number.isFinite(end) ? end : undefined;
}

/** Reports whether an alert is about a route, a stop, or one of its trips. */
export function concerns(alert: ServiceAlert, about: {route?: string | undefined; stop?: string | undefined; trip?: string | undefined}): boolean {
  return (alert.informed ?? []).some((item) =>
    (item.route !== undefined || item.stop !== undefined || item.trip !== undefined)
    && (item.route === undefined || item.route === about.route)
    && (item.stop === undefined || item.stop === about.stop)
    && (item.trip === undefined || item.trip === about.trip));
}

/** The bar of alerts: the first one, and the others on demand. */
export function AlertBar({alerts, now}: {alerts: readonly ServiceAlert[]; now: number}) {
  const {w, f, lang} = useWords(riderWords);
  const [open, setOpen] = useState(false);
  if (alerts.length === 0) return null;
  return (
    <section class="alert-bar" aria-label={w.alert}>
      {(open ? alerts : alerts.slice(0, 1)).map((alert) => {
        const end = alertEnd(alert, now);
        const text = alertText(alert.description, lang);
        return (
          <details key={`${alert.feed} ${alert.id}`}>
            <summary><Icon name="alert" /><span>{alertText(alert.header, lang) || w.alert}{end === undefined ? '' : ` · ${w.until(f.moment(end))}`}</span></summary>
            {text ? <p>{text}</p> : null}
          </details>
        );
      })}
      {alerts.length > 1 && !open ? <button type="button" onClick={() => setOpen(true)}>{w.showAll} ({alerts.length - 1})</button> : null}
    </section>
  );
}
