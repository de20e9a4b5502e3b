import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import {zone} from './format.ts';
import type {Tongue} from './i18n.ts';
import {ranges} from './scale.ts';
import {extent, hasScale, type Series} from './series.ts';

const height = 160; // CSS pixels

/** Opacity of the steps' colors behind the chart: visible, but weaker than the line. */
const tint = 0.2;

/** The data of a chart. */
export interface Plot {
  series: Series;
  quantity: string;
  from: number; // seconds since 1970
  to: number;
  /** Called with the time (s) and value under the pointer, or undefined when the pointer leaves. */
  pointed(at: {time: number; value: number} | undefined): void;
}

/** Draws a line over a day into `into` and adapts to its width. Returns a function that removes it. */
export function drawChart(into: HTMLElement, plot: Plot, tongue: Tongue): () => void {
  const chart = new uPlot(options(into, plot, tongue), plot.series, into);
  const watch = new ResizeObserver(() => chart.setSize({width: into.clientWidth, height}));
  watch.observe(into);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

function options(into: HTMLElement, plot: Plot, tongue: Tongue): uPlot.Options {
  const ink = color(into, '--ink-soft');
  const grid = {stroke: color(into, '--line'), width: 1};
  const font = '11px system-ui, sans-serif';
  return {
    width: into.clientWidth,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: {show: false},
    cursor: {y: false, drag: {x: false, y: false}},
    scales: {x: {range: [plot.from, plot.to]}, y: {range: heightRange(plot.series)}},
    series: [{}, {stroke: color(into, '--accent'), width: 2, points: {show: plot.series[0].length < 60, size: 5}}],
    axes: [
      {stroke: ink, font, grid, ticks: {...grid, size: 4}, space: 56, size: 26, values: (_, ticks) => ticks.map((t) => tongue.format.hour(t * 1000))},
      {stroke: ink, font, grid, ticks: {show: false}, size: 44, values: (_, ticks) => ticks.map((t) => tongue.format.number(t, 1))},
    ],
    hooks: {
      drawClear: [(chart) => bands(chart, plot.quantity)],
      setCursor: [(chart) => plot.pointed(under(chart))],
    },
  };
}

/** From zero, or from the lowest value if that is negative, to a little above the highest. */
function heightRange(series: Series): [number, number] {
  const span = extent(series);
  if (!span) return [0, 1];
  return [Math.min(0, span.low), Math.max(span.high * 1.12, span.low + 1, 1)];
}

function bands(chart: uPlot, quantity: string): void {
  if (!hasScale(quantity)) return;
  const {ctx: pen, bbox} = chart;
  pen.save();
  pen.beginPath();
  pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  pen.clip();
  pen.globalAlpha = tint;
  for (const range of ranges(quantity)) {
    const top = range.to === undefined ? bbox.top : chart.valToPos(range.to, 'y', true);
    const bottom = range.from === 0 ? bbox.top + bbox.height : chart.valToPos(range.from, 'y', true);
    pen.fillStyle = range.color.fill;
    pen.fillRect(bbox.left, top, bbox.width, bottom - top);
  }
  pen.restore();
}

function under(chart: uPlot): {time: number; value: number} | undefined {
  const index = chart.cursor.idx;
  if (index === null || index === undefined) return undefined;
  const time = chart.data[0][index];
  const value = chart.data[1]?.[index];
  return time === undefined || value === undefined || value === null ? undefined : {time, value};
}

function color(of: HTMLElement, name: string): string {
  return getComputedStyle(of).getPropertyValue(name).trim();
}
