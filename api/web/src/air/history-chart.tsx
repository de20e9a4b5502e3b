import {useEffect, useRef, useState} from 'preact/hooks';

import {useWords} from '../core/i18n.ts';
import {nameIn} from '../core/i18n.ts';
import {airWords} from './air-words.ts';
import {dayMonth, hourDay} from './hour-day.ts';
import type {AirClass} from './classes.ts';
import {extent, type Hour, seriesOf} from './history.ts';

/** A history as a chart, as a sentence and as a table: nobody needs to see the drawing. */
export function HistoryChart({what, span, hours, from, to, classes, digits, was}: {what: string; span: string; hours: readonly Hour[]; from: number; to: number; classes: readonly AirClass[] | undefined; digits: number; was: ReadonlyMap<number, number>}) {
  const {w, f, lang} = useWords(airWords);
  const box = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<{time: number; value: number}>();
  const series = seriesOf(hours, from, to);
  const of = extent(series);
  const number = (value: number): string => f.number(value, digits);
  const week = to - from > 2 * 86_400_000;
  useEffect(() => {
    if (!box.current || !of) return undefined;
    const into = box.current;
    let remove: (() => void) | undefined;
    let gone = false;
    void import('./draw-chart.ts').then(({drawChart}) => {
      if (gone) return;
      remove = drawChart(into, {
        series, from: from / 1000, to: to / 1000, classes, pointed: setPointed,
        label: {time: (t) => (week ? dayMonth(t) : f.hour(t)), value: number},
      });
    });
    return () => {
      gone = true;
      remove?.();
    };
  }, [hours, from, to, classes, lang]);
  if (!of) return <p class="note">{w.noChart}</p>;
  return (
    <figure class="chart" data-hours={series[1].filter((v) => v !== null).length}>
      <p class="pointed meta" aria-hidden="true">{pointed ? `${hourDay(f, pointed.time)}: ${number(pointed.value)}` : w.gap}</p>
      <div ref={box} class="plot" role="img" aria-label={`${w.chart(what, span)}. ${w.chartSaid(number(of.low), number(of.high), number(of.last))}`} />
      <details class="as-table">
        <summary>{w.table}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={w.table}>
          <table>
            <thead><tr><th scope="col">{w.time}</th><th scope="col" class="number">{what}</th><th scope="col">{w.level}</th></tr></thead>
            <tbody>
              {hours.toReversed().map((h) => (
                <tr key={h.time}>
                  <td>{hourDay(f, h.time)}</td><td class="number">{number(h.value)}</td>
                  <td>{h.level ? nameIn(h.level.name, lang) : ''}{h.revised ? ` ${w.revised('')}${was.has(h.time) ? ` (${number(was.get(h.time) ?? 0)})` : ''}` : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
