import {type Api, troubleOf} from './api.ts';
import type {City} from './city.ts';
import type {BusFeature, LonLat} from './contract.ts';
import {h, icon} from './dom.ts';
import {stateBadge} from './facts.ts';
import {busKey, lineOf} from './fleet.ts';
import type {Tongue} from './i18n.ts';
import {lineLabel} from './marker.ts';
import type {View} from './panel.ts';
import {Rows} from './rows.ts';
import {type NoPlace, whereAmI} from './where.ts';

/** How many buses are requested, and the interval of requests while the list is open, in ms. */
const wanted = 10;
const askAgain = 10_000;

/** The part of the map that the view needs. */
export interface Picker {
  /** Makes the next tap on the map choose a place; the returned function cancels it. */
  pick(chosen: (place: LonLat) => void): () => void;
  centre(): LonLat;
  /** Shows the visitor's place. */
  stand(place: LonLat): void;
}

/** The text above the list. A function of the words, so that it follows the language. */
type Say = (tongue: Tongue) => string;

/** The buses nearest to a place that the visitor chose. */
export class NearView implements View {
  readonly #api: Api;
  readonly #city: City;
  readonly #tongue: Tongue;
  readonly #picker: Picker | undefined;
  readonly #choose: (bus: BusFeature) => void;
  #place: LonLat | undefined;
  #found: BusFeature[] = [];
  #say: Say = (t) => t.words.nearIntro;
  #callOff: () => void = () => undefined;
  #asking = new AbortController();
  #asked = -Infinity;
  #status = h('p');
  #rows: Rows<BusFeature> | undefined;

  /** @param picker undefined without a map: then only the browser can give the place */
  constructor(api: Api, city: City, tongue: Tongue, picker: Picker | undefined, choose: (bus: BusFeature) => void) {
    this.#api = api;
    this.#city = city;
    this.#tongue = tongue;
    this.#picker = picker;
    this.#choose = choose;
  }

  title(): string {
    return this.#tongue.words.near;
  }

  build(body: HTMLElement): void {
    this.#status = h('p', {class: 'quiet', role: 'status'});
    this.#rows = new Rows(h('ol', {class: 'list'}), 'row', this.#choose);
    body.append(h('div', {class: 'choices'}, ...this.#choices()), this.#status, this.#rows.list);
    this.#show();
  }

  #choices(): HTMLElement[] {
    const {words} = this.#tongue;
    const picker = this.#picker;
    const here = choice('near-here', words.nearHere, 'here', () => void this.#locate());
    if (!picker) return [here];
    return [here,
      choice('near-pick', words.nearPick, 'pin', () => this.#pick(picker)),
      choice('near-centre', words.nearCentre, 'centre', () => this.#take(picker.centre()))];
  }

  tick(): void {
    if (this.#place && performance.now() - this.#asked >= askAgain) void this.#ask();
    this.#list();
  }

  hidden(): void {
    this.#callOff();
    this.#asking.abort();
  }

  async #locate(): Promise<void> {
    this.#callOff();
    this.#tell((t) => t.words.nearLocating);
    try {
      this.#take(await whereAmI());
    } catch (why) {
      this.#tell((t) => t.words[why as NoPlace]);
    }
  }

  #pick(picker: Picker): void {
    this.#callOff();
    this.#callOff = picker.pick((place) => this.#take(place));
    this.#tell((t) => t.words.nearPicking);
  }

  #take(place: LonLat): void {
    this.#callOff();
    this.#place = place;
    this.#found = [];
    this.#picker?.stand(place);
    this.#tell((t) => t.words.nearLoading);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (!this.#place) return;
    this.#asking.abort();
    const asking = (this.#asking = new AbortController());
    this.#asked = performance.now();
    try {
      this.#found = await this.#api.near(this.#place, wanted, asking.signal);
      const count = this.#found.length;
      this.#tell((t) => (count ? t.words.nearFound(t.format.number(count)) : t.words.nearNone));
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#found = [];
      this.#tell((t) => t.words.troubles[troubleOf(error)]);
    }
  }

  #tell(say: Say): void {
    this.#say = say;
    this.#show();
  }

  #show(): void {
    const text = this.#say(this.#tongue);
    if (this.#status.textContent !== text) this.#status.textContent = text; // announced once by screen readers
    this.#list();
  }

  #list(): void {
    this.#rows?.show(this.#found, ({properties: {agency, id}}) => busKey(agency, id), (bus) => this.#row(bus));
  }

  #row(feature: BusFeature): (Node | string)[] {
    const {words, format} = this.#tongue;
    const {agency, id, headsign, distance_m: distance} = feature.properties;
    const line = lineOf(feature.properties);
    const known = this.#city.fleet.get(busKey(agency, id));
    const {time, state} = known ? {time: known.said.time, state: known.state} : feature.properties;
    return [
      h('span', {class: `pill ${state}`}, lineLabel(line)),
      h('span', {class: 'row-name'}, headsign ? words.towards(headsign) : line ? words.busOf(line) : words.busWithoutLine),
      h('span', {class: 'row-number'}, distance === undefined ? '' : format.distance(distance)),
      h('span', {class: 'row-more'}, stateBadge(state, words), ` ${format.ago(this.#city.clock.age(time))}`),
    ];
  }
}

function choice(id: string, name: string, drawing: 'here' | 'pin' | 'centre', act: () => void): HTMLElement {
  return h('button', {type: 'button', id, class: 'plain', onclick: act}, icon(drawing), name);
}
