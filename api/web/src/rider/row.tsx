import {Icon} from '../app/icons.tsx';
import type {Format} from '../core/format.ts';
import {type Lang, useWords} from '../core/i18n.ts';
import {terms} from '../core/terms.ts';
import type {Departure} from '../openapi.ts';
import {Bell} from './bell.tsx';
import {crowding, delayOf, etaOf, type Freshness, leaveFor, likely} from './eta.ts';
import {away, brief, sayEta, sayLeave, speakRow, walkMinutes} from './say.ts';
import {wishesFor} from './wishes.ts';
import {type RiderWords, riderWords} from './words.ts';

/** The number of a line: outlined if the line is only likely, dashed if the bus is lost. */
export function LineNumber({line, look = ''}: {line: string; look?: '' | 'likely' | 'stale'}) {
  return <span class={`lineno ${look}`} aria-hidden="true">{line}</span>;
}

export function lookOf(d: Departure): '' | 'likely' | 'stale' {
  return d.state === 'stale' ? 'stale' : likely(d) ? 'likely' : '';
}

/** Three figures, of which as many are filled as the bus is crowded, and the word. */
export function Crowding({occupancy, f: _f, lang}: {occupancy: string | undefined; f: Format; lang: Lang}) {
  const full = crowding(occupancy);
  if (full === undefined || occupancy === undefined) return null;
  return (
    <span class="crowd">
      <svg viewBox="0 0 34 14" aria-hidden="true">
        {[0, 1, 2].map((i) => <path key={i} class={i < full ? 'full' : ''} d={`M${6 + 11 * i} 1.400a2.600 2.600 0 1 1 0 5.200 2.600 2.600 0 0 1 0-5.200zM${2 + 11 * i} 13a4 4 0 0 1 8 0z`} />)}
      </svg>
      {terms[lang].occupancies[occupancy]}
    </span>
  );
}

export interface RowProps {
  d: Departure;
  /** What follows on the line, at most two. */
  later?: Departure[];
  headsign: string;
  href: string;
  now: number;
  fresh: Freshness;
  /** Seconds to the stop; undefined if the rider is at it, as on a board. */
  walk?: number;
  stop?: string;
  /** The name of the stop of a board, on which rows do not repeat it. */
  at?: string;
  /** A service alert touches the line here. */
  alert?: boolean;
}

/** The words of a row below its headsign. */
function details({d, later: after = [], now, fresh, walk, stop}: RowProps, w: RiderWords, f: Format, lang: Lang) {
  const leave = walk === undefined || fresh === 'clock' || fresh === 'timetable' ? undefined : leaveFor(d, walk, now);
  const late = fresh === 'fresh' || fresh === 'pale' ? delayOf(d, now) : undefined;
  const later = after.map((t) => brief(t, now, fresh, f)).filter(Boolean);
  const predicted = d.state === 'live';
  return {
    leave: sayLeave(leave, w),
    urgent: leave?.kind === 'now',
    place: [stop, walk === undefined ? undefined : w.walk(String(walkMinutes(walk)))].filter(Boolean).join(' · '),
    likely: likely(d) ? w.likelyLine(d.line) : '',
    occupancy: predicted ? d.occupancy : undefined,
    crowdingWord: predicted && crowding(d.occupancy) !== undefined ? terms[lang].occupancies[d.occupancy ?? ''] : undefined,
    away: walk === undefined && predicted ? away(d.stops_away, w) : '',
    late: walk !== undefined || late === undefined || d.scheduled === undefined ? '' : `${w.byTimetable(f.hour(Date.parse(d.scheduled)))} · ${late > 0 ? w.late(String(late)) : late < 0 ? w.early(String(-late)) : w.onTime}`,
    later: later.length > 0 ? w.andThen(later.join(', ')) : '',
    call: d.pickup === 'phone_agency' ? w.onlyOnCall : '',
  };
}

/** One departure: its line, where it goes, how long it takes, and what a rider wants to know before leaving. */
export function DepartureRow(props: RowProps) {
  const {w, f, lang} = useWords(riderWords);
  const {d, headsign, href, now, fresh, stop, alert} = props;
  const said = sayEta(etaOf(d, now, fresh), w, f);
  const wishes = wishesFor(d, props.walk, now);
  const more = details(props, w, f, lang);
  const spoken = speakRow(d, headsign, now, fresh, [more.crowdingWord, stop === undefined ? undefined : w.sayStop(stop), props.walk === undefined ? more.away : w.walk(String(walkMinutes(props.walk))), more.leave.toLowerCase()], w, f);
  return (
    <li class={`dep ${fresh === 'fresh' ? '' : 'pale'}`}>
      <a href={href}>
        <span class="unseen">{spoken}</span>
        <LineNumber line={d.line} look={lookOf(d)} />
        <span class="dep-to" aria-hidden="true">{headsign}{alert ? <span class="alert"> <Icon name="alert" /></span> : null}</span>
        <span aria-hidden="true" class={`eta ${said.soft ? 'soft' : ''} ${said.figure ? '' : 'words'}`}>
          {said.figure ? <b>{said.figure}</b> : <span>{said.words}</span>}{said.unit ? <small> {said.unit}</small> : null}
          {said.below ? <i>{said.below}</i> : null}
        </span>
        <span class="dep-more meta" aria-hidden="true">
          {more.place ? <span>{more.place}</span> : null}
          <span class="dep-facts">
            {more.leave ? <em class={more.urgent ? 'go' : ''}>{more.leave}</em> : null}
            {more.likely ? <span>{more.likely}</span> : null}
            {more.away ? <span>{more.away}</span> : null}
            <Crowding occupancy={more.occupancy} f={f} lang={lang} />
            {more.late ? <span>{more.late}</span> : null}
            {more.call ? <span>{more.call}</span> : null}
            {more.later ? <span>{more.later}</span> : null}
          </span>
        </span>
      </a>
      {wishes.length > 0 ? <Bell line={`${d.line} ${headsign}`} stopName={stop ?? props.at ?? ''} wishes={wishes} /> : null}
    </li>
  );
}
