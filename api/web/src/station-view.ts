import type {Api} from './api.ts';
import type {City} from './city.ts';
import type {Index, Value} from './contract.ts';
import {DayChart} from './day-chart.ts';
import {h} from './dom.ts';
import {facts, stateBadge} from './facts.ts';
import type {Tongue} from './i18n.ts';
import type {Monitor} from './monitors.ts';
import type {View} from './panel.ts';
import {Rows} from './rows.ts';
import {hasScale} from './series.ts';
import {swatch} from './swatch.ts';

/** The minimum time between two quiet reloads of the chart, in ms: if the platform's clock runs fast, readings
 * arrive every second. */
const reloadAfter = 15_000;

/** The order of the values; others follow. */
const order = ['pm25', 'pm10', 'pm1', 'no2', 'so2', 'co', 'o3', 'no', 'tsp', 'temperature', 'humidity', 'pressure',
  'wind_speed', 'wind_direction'];

/** One station: its newest values and its last day. */
export class StationView implements View {
  readonly id: string;
  readonly #city: City;
  readonly #tongue: Tongue;
  readonly #chart: DayChart;
  #quantity: string | undefined;
  #loaded = {at: -Infinity, newest: ''};
  #facts = h('div');
  #rows: Rows<[string, Value]> | undefined;

  constructor(id: string, city: City, tongue: Tongue, api: Api) {
    this.id = id;
    this.#city = city;
    this.#tongue = tongue;
    this.#chart = new DayChart(api, tongue);
  }

  title(): string {
    return this.#tongue.words.station(this.id);
  }

  build(body: HTMLElement): void {
    const {words} = this.#tongue;
    this.#facts = h('div');
    this.#rows = new Rows(h('ul', {class: 'values'}), 'value', ([quantity]) => this.#choose(quantity));
    body.append(this.#facts, h('h3', {}, words.lastDay), this.#chart.element, h('h3', {}, words.values), this.#rows.list);
    this.#quantity ??= this.#firstQuantity();
    this.#tell();
    this.#load(false);
  }

  tick(): void {
    this.#tell();
    const newest = this.#value()?.time ?? '';
    if (newest !== this.#loaded.newest && performance.now() - this.#loaded.at >= reloadAfter) this.#load(true);
  }

  hidden(): void {
    this.#chart.stop();
  }

  #firstQuantity(): string | undefined {
    const values = this.#city.monitors.get(this.id)?.feature.properties.values ?? {};
    return this.#city.quantity in values ? this.#city.quantity : sorted(values)[0]?.[0];
  }

  #value(): Value | undefined {
    return this.#city.monitors.get(this.id)?.feature.properties.values[this.#quantity ?? ''];
  }

  #load(quietly: boolean): void {
    if (this.#quantity === undefined) return;
    const value = this.#value();
    this.#loaded = {at: performance.now(), newest: value?.time ?? ''};
    void this.#chart.load({station: this.id, quantity: this.#quantity, period: value?.period, to: this.#city.clock.now()}, quietly);
  }

  #tell(): void {
    const monitor = this.#city.monitors.get(this.id);
    const {words} = this.#tongue;
    if (!monitor) return this.#facts.replaceChildren(h('p', {}, words.stationGone));
    this.#facts.replaceChildren(this.#head(monitor), ...(monitor.state === 'stale' ? [h('p', {class: 'hint'}, words.staleStationHint)] : []));
    this.#list(monitor);
  }

  #head({feature, state}: Monitor): HTMLElement {
    const {words, format} = this.#tongue;
    const {time, origin, aqi} = feature.properties;
    return facts([
      [words.state, stateBadge(state, words)],
      aqi && [aqi.scale.replace('_', ' '), this.#index(aqi)],
      [words.updated, `${format.ago(this.#city.clock.age(time))} (${format.clock(Date.parse(time))})`],
      origin === 'simulated' ? [words.origin, words.originSimulated] : undefined,
    ]);
  }

  /** The index with everything that the Decision requires a public map to show. */
  #index(aqi: Index): HTMLElement {
    const {words, format} = this.#tongue;
    const dominant = words.quantities[aqi.dominant] ?? aqi.dominant;
    const color = h('span', {class: 'index-color'});
    color.style.background = aqi.level.color;
    return h('span', {title: aqi.source}, color,
      `${aqi.value} · ${aqi.level.name[this.#tongue.lang]} · ${dominant} · ${format.clock(Date.parse(aqi.time))}`,
      ...(aqi.state === 'stale' ? [' ', stateBadge('stale', words)] : []));
  }

  #list(monitor: Monitor): void {
    this.#rows?.show(sorted(monitor.feature.properties.values), ([quantity]) => quantity, ([quantity, value]) => this.#row(quantity, value));
    this.#rows?.each((button, quantity) => button.setAttribute('aria-pressed', String(quantity === this.#quantity)));
  }

  #row(quantity: string, value: Value): (Node | string)[] {
    const {words, format} = this.#tongue;
    const age = format.ago(this.#city.clock.age(value.time));
    return [
      swatch(hasScale(quantity) ? quantity : undefined, value),
      h('span', {class: 'value-name'}, words.quantities[quantity] ?? quantity),
      h('span', {class: 'value-number'}, `${format.value(value.value)} ${value.unit}`),
      h('span', {class: 'value-more'}, `${words.period} ${format.period(value.period)} · ${age} · ${words.flag}: ${words.flags[value.flag]}`),
    ];
  }

  #choose(quantity: string): void {
    this.#quantity = quantity;
    this.#tell();
    this.#load(false);
  }
}

function sorted(values: Record<string, Value>): [string, Value][] {
  return Object.entries(values).toSorted(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

function place(quantity: string): number {
  return order.includes(quantity) ? order.indexOf(quantity) : order.length;
}
