import type {City} from './city.ts';
import {h} from './dom.ts';
import {stateBadge} from './facts.ts';
import type {Tongue} from './i18n.ts';
import type {Monitor} from './monitors.ts';
import type {View} from './panel.ts';
import {Rows} from './rows.ts';
import {showable} from './scale.ts';
import {swatch} from './swatch.ts';

/** All stations as a list, for readers who can't use the map, including those without a position. */
export class StationsView implements View {
  readonly #city: City;
  readonly #tongue: Tongue;
  readonly #choose: (id: string) => void;
  #rows: Rows<Monitor> | undefined;
  #count = h('p', {class: 'quiet'});

  constructor(city: City, tongue: Tongue, choose: (id: string) => void) {
    this.#city = city;
    this.#tongue = tongue;
    this.#choose = choose;
  }

  title(): string {
    return this.#tongue.words.stations;
  }

  build(body: HTMLElement): void {
    this.#rows = new Rows(h('ul', {class: 'list'}), 'row', ({feature}) => this.#choose(feature.properties.id));
    this.#count = h('p', {class: 'quiet'});
    body.append(this.#count, this.#rows.list);
    this.tick();
  }

  tick(): void {
    const {words, format} = this.#tongue;
    const monitors = [...this.#city.monitors.all()].toSorted((a, b) => a.feature.properties.id.localeCompare(b.feature.properties.id));
    this.#count.textContent = monitors.length ? words.stationsCount(format.number(monitors.length)) : words.noStations;
    this.#rows?.show(monitors, ({feature}) => feature.properties.id, (monitor) => this.#row(monitor));
  }

  #row({feature, state}: Monitor): (Node | string)[] {
    const {words, format} = this.#tongue;
    const {id, time, values} = feature.properties;
    const value = values[this.#city.quantity];
    const number = showable(value) ? `${format.value(value.value)} ${value.unit}` : '–';
    const where = feature.geometry ? '' : ` · ${words.noPlace}`;
    return [
      swatch(this.#city.quantity, state === 'live' ? value : undefined),
      h('span', {class: 'row-name'}, id),
      h('span', {class: 'row-number'}, number),
      h('span', {class: 'row-more'}, stateBadge(state, words), ` ${format.ago(this.#city.clock.age(time))}${where}`),
    ];
  }
}
