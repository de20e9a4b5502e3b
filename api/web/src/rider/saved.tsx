import {useEffect} from 'preact/hooks';

import {Head, IconButton, useTitle} from '../app/frame.tsx';
import {Icon} from '../app/icons.tsx';
import {paths} from '../app/paths.ts';
import {painted} from '../app/scene.ts';
import {address, ApiError} from '../core/api.ts';
import {clock, useSlowNow} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import {lookAround} from '../core/place.ts';
import {usePolled} from '../core/poll.ts';
import {reminders} from '../core/reminders.ts';
import {homes, moveSaved, type Saved as Item, saved, savedKey, setHome, toggleSaved} from '../core/saved.ts';
import {useStore} from '../core/store.ts';
import type {Arrivals, StopTimetable} from '../openapi.ts';
import {choose, etaOf, freshness, gone} from './eta.ts';
import {brief, sayEta} from './say.ts';
import {dayOf, upcoming} from './service-day.ts';
import {viewWords} from './view-words.ts';

/** What the rider has saved, with the next buses; without a network, what the timetable says. */
export default function Saved() {
  const {w} = useWords(viewWords);
  const all = useStore(saved);
  useTitle(w.savedTitle);
  useEffect(() => painted.set(true), []);
  return (
    <>
      <Head root title={w.savedTitle} sub={w.savedWhere} />
      <Homes />
      <RemindersLink />
      {all.length === 0 ? <p class="pad" id="none">{w.savedNone}</p> : null}
      <ul class="list" id="saved">{all.map((item, i) => <SavedRow key={savedKey(item)} item={item} first={i === 0} last={i === all.length - 1} />)}</ul>
    </>
  );
}

/** The way to the reminders, if there are any. */
function RemindersLink() {
  const {w} = useWords(viewWords);
  const count = useStore(reminders).length;
  return count === 0 ? null : <ul class="list"><li><a href="/reminders"><Icon name="bell" /><span class="item-text"><b>{w.reminders}</b></span><span class="strong">{count}</span><Icon name="chevron" /></a></li></ul>;
}

function Homes() {
  const {w} = useWords(viewWords);
  const known = useStore(homes);
  return (
    <ul class="list homes">
      {(['home', 'work'] as const).map((which) => {
        const at = known[which];
        return (
          <li key={which}>
            {at ? <a href="/" onClick={() => lookAround({kind: which, at})}><Icon name={which} /><span class="item-text"><b>{w[which]}</b></span></a>
              : <span class="item"><Icon name={which} /><span class="item-text"><b>{w[which]}</b><span class="meta">{w.notSet}</span></span></span>}
            {at ? <IconButton icon="close" label={w.remove(w[which])} onClick={() => setHome(which, undefined)} /> : null}
          </li>
        );
      })}
    </ul>
  );
}

function SavedRow({item, first, last}: {item: Item; first: boolean; last: boolean}) {
  const {w} = useWords(viewWords);
  const {line} = item;
  const name = line ? `${line.number} ${line.headsign}` : item.name;
  return (
    <li class="saved">
      <a href={`${paths.stop(item.stop)}${line ? `?line=${encodeURIComponent(line.route)}` : ''}`}>
        {line ? <span class="lineno">{line.number}</span> : <Icon name="stop" />}
        <span class="item-text">
          <b>{line ? line.headsign : item.name}</b>
          <span class="meta">{line ? item.name : w.anyLine}</span>
          <Next item={item} />
        </span>
      </a>
      <div class="saved-order">
        <IconButton icon="up" label={w.moveUp(name)} disabled={first} onClick={() => moveSaved(item, -1)} />
        <IconButton icon="down" label={w.moveDown(name)} disabled={last} onClick={() => moveSaved(item, 1)} />
        <IconButton icon="close" label={w.remove(name)} onClick={() => toggleSaved(item)} />
      </div>
    </li>
  );
}

/** The next buses of a saved stop or line. Predictions that are not fresh give way to the timetable of the day. */
function Next({item}: {item: Item}) {
  const {w, f} = useWords(viewWords);
  const now = useSlowNow();
  const about = {routes: item.line?.route, direction: item.line?.direction};
  const stop = `/v1/stops/${encodeURIComponent(item.stop)}`;
  const {data, error} = usePolled<Arrivals>(address(`${stop}/arrivals`, {...about, limit: 4}), 30_000);
  const date = dayOf(clock.now());
  const {data: day} = usePolled<StopTimetable>(address(`${stop}/timetable`, {date, ...about}), 0); // kept for days without a network
  const fresh = data ? freshness(Date.parse(data.time), now) : 'timetable';
  const offline = error instanceof ApiError && error.trouble === 'offline';
  if (data && !offline && fresh !== 'timetable' && fresh !== 'clock') {
    const left = data.arrivals.filter((d) => !gone(d, now));
    const choice = choose(left, 0, now);
    if (!choice) return <span class="meta">{w.none}</span>;
    const said = sayEta(etaOf(choice.large, now, fresh), w, f);
    const text = [said.figure, said.unit, said.words, said.soft ? said.below : undefined].filter(Boolean).join(' ');
    return <span class="next"><b>{item.line ? '' : `${choice.large.line}: `}{text}</b>{choice.later.map((d) => brief(d, now, fresh, f)).filter(Boolean).map((next) => <span class="meta" key={next}> · {next}</span>)}</span>;
  }
  const times = day && day.date === date ? upcoming(day.lines.flatMap(({departures}) => departures.map(({time}) => time)), now, date).slice(0, 4) : [];
  if (times.length === 0) return data || error ? <span class="meta">{offline ? w.offlineShort : ''}</span> : null;
  return <span class="next usual">{w.usually(times.join(', '))} <span class="meta">· {f.day(Date.parse(`${date}T12:00:00+07:00`))}</span></span>;
}
