import type {City} from './city.ts';
import type {BusProperties} from './contract.ts';
import {h} from './dom.ts';
import {facts, stateBadge} from './facts.ts';
import {type Bus, lineOf} from './fleet.ts';
import type {Tongue} from './i18n.ts';
import type {View} from './panel.ts';

/** A bus within this many seconds of its timetable is on time. */
const onTime = 60;

/** The latest data of one bus, kept up to date. */
export class BusView implements View {
  readonly key: string;
  readonly #city: City;
  readonly #tongue: Tongue;
  #body: HTMLElement | undefined;

  constructor(key: string, city: City, tongue: Tongue) {
    this.key = key;
    this.#city = city;
    this.#tongue = tongue;
  }

  title(): string {
    const {words} = this.#tongue;
    const said = this.#city.fleet.get(this.key)?.said;
    const line = said && lineOf(said);
    return line ? words.busOf(line) : words.busWithoutLine;
  }

  build(body: HTMLElement): void {
    this.#body = body;
    this.tick();
  }

  tick(): void {
    const bus = this.#city.fleet.get(this.key);
    this.#body?.replaceChildren(...(bus ? this.#tell(bus) : [h('p', {}, this.#tongue.words.busGone)]));
  }

  #tell(bus: Bus): HTMLElement[] {
    const {words} = this.#tongue;
    const {headsign} = bus.said;
    return [
      ...(headsign ? [h('p', {class: 'lead'}, words.towards(headsign))] : []),
      this.#facts(bus),
      ...(bus.state === 'stale' ? [h('p', {class: 'hint'}, words.staleBusHint)] : []),
    ];
  }

  #facts({said, state}: Bus): HTMLElement {
    const {words, format} = this.#tongue;
    const age = format.ago(this.#city.clock.age(said.time));
    return facts([
      [words.state, stateBadge(state, words)],
      [words.updated, `${age} (${format.clock(Date.parse(said.time))})`],
      [words.speed, said.speed === undefined ? words.unknown : format.speed(said.speed)],
      [words.occupancy, this.#occupancy(said)],
      said.delay_s === undefined ? undefined : [words.delay, this.#delay(said.delay_s)],
      [words.vehicle, `${said.id} · ${said.agency}`],
      [words.origin, said.origin === 'simulated' ? words.originSimulated : words.originDevice],
    ]);
  }

  #occupancy(said: BusProperties): string {
    const {words} = this.#tongue;
    return (words.occupancies as Record<string, string>)[said.occupancy ?? ''] ?? words.unknown;
  }

  #delay(seconds: number): string {
    const {words, format} = this.#tongue;
    if (Math.abs(seconds) < onTime) return words.onTime;
    const duration = format.minutes(Math.abs(seconds));
    return seconds > 0 ? words.late(duration) : words.early(duration);
  }
}
