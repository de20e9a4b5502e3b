import {useEffect, useState} from 'preact/hooks';

import {clock} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import type {Answers} from '../openapi.ts';
import {airWords} from './air-words.ts';
import {hourDay} from './hour-day.ts';
import {emptyRuns, guessSlots, nextPosition, pace, positionOf, type Slot, slotsOf} from './hours.ts';

/** The slider over the last day, with buttons for those who can't drag it. Empty hours are hatched. */
export function HourSlider({hours, time, choose}: {hours: Answers['/v1/air/hours'] | undefined; time: string | undefined; choose: (time: string | undefined) => void}) {
  const {w, f} = useWords(airWords);
  const [playing, setPlaying] = useState(false);
  const slots = hours ? slotsOf(hours.hours) : guessSlots(clock.now());
  const last = slots.length - 1;
  const position = positionOf(slots, time);
  const take = (to: number): void => choose(to >= last ? undefined : slots[to]?.time);

  useEffect(() => {
    if (!playing) return undefined;
    const next = nextPosition(slots, position);
    if (next === undefined) return setPlaying(false);
    const timer = setTimeout(() => take(next), pace);
    return () => clearTimeout(timer);
  }, [playing, position, last]);

  const play = (): void => {
    if (!playing && (position < 0 || position === last)) take(0);
    setPlaying(!playing);
  };
  const step = (by: number): void => {
    setPlaying(false);
    take(Math.min(last, Math.max(0, (position < 0 ? 0 : position) + by)));
  };
  const said = spokenHour(slots[position], time, (t) => hourDay(f, t), w);
  return (
    <div class="hours" role="group" aria-label={w.hour}>
      <button type="button" class="round" id="play" aria-label={playing ? w.pause : w.play} title={playing ? w.pause : w.play} onClick={play}><svg viewBox="0 0 24 24" class="icon" aria-hidden="true"><path d={playing ? 'M6 5h4v14H6zm8 0h4v14h-4z' : 'M7 4.500 20 12 7 19.500z'} /></svg></button>
      <button type="button" class="round step" id="hour-before" aria-label={w.before} disabled={position === 0} onClick={() => step(-1)}>‹</button>
      <div class="slide">
        <div class="empty-hours" aria-hidden="true">{emptyRuns(slots).map(({from, to}) => <i key={from} style={{left: `${100 * from}%`, width: `${100 * (to - from)}%`}} />)}</div>
        <input type="range" id="hour" min="0" max={last} step="1" value={position < 0 ? 0 : position} aria-label={w.hour} aria-valuetext={said}
          onInput={(e) => (setPlaying(false), take(Number(e.currentTarget.value)))} />
      </div>
      <button type="button" class="round step" id="hour-after" aria-label={w.after} disabled={position === last} onClick={() => step(1)}>›</button>
      <output for="hour" id="hour-told">{time === undefined ? w.now : hourDay(f, Date.parse(time))}</output>
    </div>
  );
}

function spokenHour(slot: Slot | undefined, time: string | undefined, moment: (t: number) => string, w: {now: string; emptyHour: (t: string) => string}): string {
  if (time === undefined) return w.now;
  const text = moment(Date.parse(time));
  return slot?.empty ? w.emptyHour(text) : text;
}
