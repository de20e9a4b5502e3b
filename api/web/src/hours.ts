import type {CityClock} from './city-clock.ts';
import {h} from './dom.ts';
import type {Tongue} from './i18n.ts';

const hour = 3_600_000;

/** How far back the slider goes, in hours. */
const reach = 24;

/** How long each hour is shown when a day is played, in ms. */
const pace = 1200;

/** The full hour that lies so many hours before the last one; undefined: now. */
export function hourBefore(now: number, back: number): string | undefined {
  return back === 0 ? undefined : new Date(Math.floor(now / hour) * hour - (back - 1) * hour).toISOString();
}

/** The switch for the air between the monitors, and the slider over the last day. */
export class Hours {
  readonly #clock: CityClock;
  readonly #tongue: Tongue;
  readonly #show: (time: string | undefined) => void;
  readonly #slider = h('input', {type: 'range', id: 'hour', min: String(-reach), max: '0', step: '1', value: '0'});
  readonly #told = h('output', {id: 'hour-told', for: 'hour'});
  readonly #play = h('button', {type: 'button', id: 'play', class: 'plain'});
  readonly #field = h('input', {type: 'checkbox', id: 'field', checked: true});
  #shown: string | undefined;
  #playing: ReturnType<typeof setInterval> | undefined;

  /** `show` is called with the hour, `field` with whether the air between the monitors is visible. */
  constructor(root: HTMLElement, clock: CityClock, tongue: Tongue, show: (time: string | undefined) => void, field: (on: boolean) => void) {
    this.#clock = clock;
    this.#tongue = tongue;
    this.#show = show;
    this.#slider.addEventListener('input', () => this.#chosen());
    this.#slider.addEventListener('pointerdown', () => this.#stop());
    this.#slider.addEventListener('keydown', () => this.#stop());
    this.#play.addEventListener('click', () => this.#toggle());
    this.#field.addEventListener('change', () => field(this.#field.checked));
    tongue.each(() => this.#draw(root));
  }

  /** Updates the slider by the platform's clock: the chosen hour stays until another hour has ended. */
  tick(): void {
    if (this.#shown !== this.#time) this.#chosen();
  }

  #draw(root: HTMLElement): void {
    const {words} = this.#tongue;
    this.#slider.setAttribute('aria-label', words.hour);
    root.replaceChildren(
      h('label', {class: 'switch'}, this.#field, h('span', {}, words.field)),
      h('div', {class: 'hours'}, this.#play, this.#slider, this.#told));
    this.#tell();
  }

  get #time(): string | undefined {
    return hourBefore(this.#clock.now(), -Number(this.#slider.value));
  }

  #chosen(): void {
    this.#tell();
    this.#shown = this.#time;
    this.#show(this.#shown);
  }

  #tell(): void {
    const {words, format} = this.#tongue;
    const time = this.#time;
    const told = time === undefined ? words.now : format.moment(Date.parse(time));
    this.#told.textContent = told;
    this.#slider.setAttribute('aria-valuetext', told);
    this.#play.textContent = this.#playing === undefined ? words.play : words.pause;
  }

  #toggle(): void {
    if (this.#playing !== undefined) return this.#stop();
    if (this.#slider.value === '0') this.#slider.value = String(-reach);
    this.#playing = setInterval(() => this.#step(), pace);
    this.#chosen();
  }

  #step(): void {
    this.#slider.value = String(Number(this.#slider.value) + 1);
    if (this.#slider.value === '0') this.#stop();
    this.#chosen();
  }

  #stop(): void {
    clearInterval(this.#playing);
    this.#playing = undefined;
    this.#tell();
  }
}
