import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import {zone} from '../core/format.ts';
import type {AirClass} from './classes.ts';
import {heightRange, type Series} from './history.ts';

const height = 190; // CSS pixels

/** Opacity of the classes' colors behind the line: visible, but weaker than it. */
const tint = 0.22;

export interface Plot {
  series: Series;
  from: number; // seconds since 1970
  to: number;
  /** Classes whose bounds are in the chart's unit; undefined: no bands. */
  classes: readonly AirClass[] | undefined;
  /** Labels of the axes. */
  label: {time(ms: number): string; value(value: number): string};
  /** Called with the hour under the pointer, or undefined when it leaves. */
  pointed(at: {time: number; value: number} | undefined): void;
}

/** Draws a line with gaps into `into` and follows its width. Returns what removes it. */
export function drawChart(into: HTMLElement, plot: Plot): () => void {
  const chart = new uPlot(options(into, plot), plot.series as uPlot.AlignedData, into);
  const watch = new ResizeObserver(() => chart.setSize({width: into.clientWidth, height}));
  watch.observe(into);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

function options(into: HTMLElement, {series, from, to, classes, label, pointed}: Plot): uPlot.Options {
  const style = getComputedStyle(into);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const grid = {stroke: color('--line'), width: 1};
  const font = '12px system-ui, sans-serif';
  const axis = {stroke: color('--soft'), font, grid};
  return {
    width: into.clientWidth, height, legend: {show: false}, padding: [8, 12, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: {y: false, drag: {x: false, y: false}},
    scales: {x: {range: [from, to]}, y: {range: heightRange(series)}},
    series: [{}, {stroke: color('--ink'), width: 2, spanGaps: false, points: {show: series[0].length < 60, size: 6, fill: color('--paper')}}],
    axes: [
      {...axis, ticks: {...grid, size: 4}, space: 60, size: 28, values: (_, ticks) => ticks.map((t) => label.time(t * 1000))},
      {...axis, ticks: {show: false}, size: 46, values: (_, ticks) => ticks.map((t) => label.value(t))},
    ],
    hooks: {
      drawClear: [(chart) => bands(chart, classes)],
      setCursor: [(chart) => pointed(under(chart))],
    },
  };
}

function bands(chart: uPlot, classes: readonly AirClass[] | undefined): void {
  if (!classes) return;
  const {ctx: pen, bbox} = chart;
  pen.save();
  pen.beginPath();
  pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  pen.clip();
  pen.globalAlpha = tint;
  for (const [i, {color, to}] of classes.entries()) {
    const low = i === 0 ? bbox.top + bbox.height : chart.valToPos(classes[i - 1]?.to ?? 0, 'y', true);
    const high = to === undefined ? bbox.top : chart.valToPos(to, 'y', true);
    pen.fillStyle = color;
    pen.fillRect(bbox.left, high, bbox.width, low - high);
  }
  pen.restore();
}

function under(chart: uPlot): {time: number; value: number} | undefined {
  const index = chart.cursor.idx;
  if (index === null || index === undefined) return undefined;
  const [time, value] = [chart.data[0][index], chart.data[1]?.[index]];
  return time === undefined || value === undefined || value === null ? undefined : {time: time * 1000, value};
}
