import {type Api, troubleOf} from './api.ts';
import {drawChart} from './chart.ts';
import type {Reading} from './contract.ts';
import {h} from './dom.ts';
import type {Tongue} from './i18n.ts';
import {extent, ofOnePeriod, type Series, seriesOf} from './series.ts';

/** The day and station that are shown. */
export interface Wanted {
  station: string;
  quantity: string;
  period: string | undefined;
  to: number; // ms since 1970
}

const day = 86_400; // seconds

/** The chart of one day with its table, and the states loading and failed. */
export class DayChart {
  readonly element = h('figure', {class: 'day'});
  readonly #api: Api;
  readonly #tongue: Tongue;
  #asking: AbortController | undefined;
  #take: () => void = () => undefined;

  constructor(api: Api, tongue: Tongue) {
    this.#api = api;
    this.#tongue = tongue;
  }

  /** Loads a day and draws it. With `quietly` the old chart stays until the new one is loaded. */
  async load(wanted: Wanted, quietly = false): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    if (!quietly) this.#say(this.#tongue.words.chartLoading, 'loading');
    try {
      const {readings} = await this.#api.readings(wanted.station, wanted.quantity, new Date(wanted.to), asking.signal);
      this.#draw(wanted, ofOnePeriod(readings, wanted.period));
    } catch (error) {
      if (asking.signal.aborted || quietly) return;
      this.#fail(wanted, error);
    }
  }

  /** Removes the chart and cancels its request. */
  stop(): void {
    this.#asking?.abort();
    this.#take();
    this.#take = () => undefined;
  }

  #say(words: string, state: string, ...more: Node[]): void {
    this.#take();
    this.#take = () => undefined;
    this.element.dataset['state'] = state;
    this.element.replaceChildren(h('p', {class: 'chart-words', role: 'status'}, words), ...more);
  }

  #fail(wanted: Wanted, error: unknown): void {
    const {words} = this.#tongue;
    const again = h('button', {type: 'button', class: 'plain', onclick: () => void this.load(wanted)}, words.retry);
    this.#say(words.troubles[troubleOf(error)], 'failed', again);
  }

  #draw(wanted: Wanted, readings: Reading[]): void {
    const series = seriesOf(readings);
    const span = extent(series);
    if (!span) return this.#say(this.#tongue.words.chartEmpty, 'empty');
    this.#take();
    const unit = readings[0]?.unit ?? '';
    const plot = h('div', {class: 'plot', role: 'img', 'aria-label': this.#summary(wanted.quantity, unit, span)});
    const pointed = h('figcaption', {class: 'pointed'});
    this.element.replaceChildren(pointed, plot, this.#table(readings));
    this.#take = this.#plot(plot, pointed, wanted, series, unit);
    this.element.dataset['state'] = 'drawn';
  }

  #plot(into: HTMLElement, caption: HTMLElement, wanted: Wanted, series: Series, unit: string): () => void {
    const {words, format} = this.#tongue;
    const name = words.quantities[wanted.quantity] ?? wanted.quantity;
    const pointed = (at: {time: number; value: number} | undefined): void => {
      caption.textContent = at ? `${format.moment(at.time * 1000)} · ${format.value(at.value)} ${unit}` : words.chartOf(name, unit);
    };
    pointed(undefined);
    const to = wanted.to / 1000;
    return drawChart(into, {series, quantity: wanted.quantity, from: to - day, to, pointed}, this.#tongue);
  }

  #summary(quantity: string, unit: string, span: {low: number; high: number; last: number}): string {
    const {words, format} = this.#tongue;
    const name = words.chartOf(words.quantities[quantity] ?? quantity, unit);
    return `${words.lastDay}: ${name}; ${words.chartSummary(format.value(span.low), format.value(span.high), format.value(span.last))}`;
  }

  /** The same day as a table, for readers who can't see the chart. Newest first. */
  #table(readings: readonly Reading[]): HTMLElement {
    const {words, format} = this.#tongue;
    const rows = readings.toReversed().map((r) =>
      h('tr', {}, h('td', {}, format.moment(Date.parse(r.time))), h('td', {class: 'number'}, r.value === null ? '–' : format.value(r.value)), h('td', {}, words.flags[r.flag])));
    const head = h('tr', {}, ...[words.endOfPeriod, words.value, words.flag].map((name) => h('th', {scope: 'col'}, name)));
    const table = h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows));
    return h('details', {class: 'as-table'}, h('summary', {}, words.chartTable), h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': words.chartTable}, table));
  }
}
