import {useState} from 'preact/hooks';

import {Failed, IconButton, Loading} from '../app/frame.tsx';
import {address} from '../core/api.ts';
import {clock} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import {usePolled} from '../core/poll.ts';
import type {StopTimetable} from '../openapi.ts';
import {byHour, dayOf} from './service-day.ts';
import {viewWords} from './view-words.ts';

/** The timetable of a stop on a day. */
export function TimetableSection({stop, route}: {stop: string; route: string | undefined}) {
  const {w, f} = useWords(viewWords);
  const [later, setLater] = useState(0);
  const date = dayOf(clock.now(), later);
  const {data, error, again} = usePolled<StopTimetable>(address(`/v1/stops/${encodeURIComponent(stop)}/timetable`, {date, routes: route}), 0);
  return (
    <section class="timetable">
      <div class="day-choice">
        <IconButton icon="back" label="−1" disabled={later <= 0} onClick={() => setLater(later - 1)} />
        <h2>{w.timetableDay(f.day(Date.parse(`${date}T12:00:00+07:00`)))}</h2>
        <IconButton icon="chevron" label="+1" disabled={later >= 13} onClick={() => setLater(later + 1)} />
      </div>
      {!data ? error ? <Failed error={error} retry={again} /> : <Loading /> : null}
      {data?.lines.length === 0 ? <p class="pad">{data.last_day !== undefined && data.last_day < date ? w.timetableEnds(data.last_day) : w.noTimetable}</p> : null}
      {data?.lines.map((line) => (
        <section key={`${line.route} ${line.direction}`} class="pad">
          <h3><span class="lineno">{line.line}</span> {line.headsign}</h3>
          {line.headways?.map((span) => <p key={span.from}>{span.from}–{span.until}: {w.every(String(Math.round(span.headway_s / 60)))}</p>)}
          <table>
            <tbody>{byHour(line.departures.map(({time}) => time)).map(([hour, minutes]) => <tr key={hour}><th scope="row">{String(Number(hour) % 24).padStart(2, '0')}</th><td>{minutes.join(' ')}</td></tr>)}</tbody>
          </table>
        </section>
      ))}
    </section>
  );
}
