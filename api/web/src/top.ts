import type {CityClock} from './city-clock.ts';
import {h} from './dom.ts';
import {type Lang, languages, type Tongue} from './i18n.ts';
import type {Link} from './session.ts';

/** The header of the page: name, whether it is simulated, whether it is live, and the language. */
export class Top {
  readonly #root: HTMLElement;
  readonly #tongue: Tongue;
  readonly #clock: CityClock;
  #link: Link = 'connecting';
  #simulated = false;
  #status = h('p');

  constructor(root: HTMLElement, tongue: Tongue, clock: CityClock) {
    this.#root = root;
    this.#tongue = tongue;
    this.#clock = clock;
    tongue.each(() => this.#build());
  }

  link(link: Link): void {
    this.#link = link;
    this.tick();
  }

  simulated(): void {
    if (this.#simulated) return;
    this.#simulated = true;
    this.#build();
  }

  /** Shows the platform's time. */
  tick(): void {
    const {words, format} = this.#tongue;
    this.#status.className = `status ${this.#link}`;
    if (this.#link !== 'live') {
      this.#status.replaceChildren(h('span', {}, this.#link === 'lost' ? words.cut : words[this.#link]));
      return;
    }
    const rate = this.#clock.rate === 1 ? '' : ` ${words.rate(format.number(this.#clock.rate, 1))}`;
    const now = this.#clock.now();
    const time = h('time', {datetime: new Date(now).toISOString(), title: words.cityTime}, format.clock(now) + rate);
    this.#status.replaceChildren(h('span', {}, words.live), time);
  }

  #build(): void {
    const {words} = this.#tongue;
    this.#status = h('p');
    const badge = this.#simulated ? h('strong', {class: 'badge', id: 'simulated', title: words.simulatedHint}, words.simulated) : undefined;
    this.#root.replaceChildren(
      h('div', {class: 'brand'}, mark(), h('h1', {title: words.tagline}, words.name), badge),
      this.#status,
      this.#languages());
    this.tick();
  }

  #languages(): HTMLElement {
    const buttons = (Object.keys(languages) as Lang[]).map((lang) => {
      const {name, short} = languages[lang];
      const pressed = String(lang === this.#tongue.lang);
      return h('button', {type: 'button', lang, id: `speak-${lang}`, 'aria-label': `${short} – ${name}`, 'aria-pressed': pressed, onclick: () => this.#speak(lang)}, short);
    });
    return h('div', {class: 'languages', role: 'group', 'aria-label': this.#tongue.words.language}, ...buttons);
  }

  /** The buttons are created again in the new language, so the focus is restored. */
  #speak(lang: Lang): void {
    this.#tongue.speak(lang);
    this.#root.querySelector<HTMLElement>(`#speak-${lang}`)?.focus();
  }
}

/** The pulse of the name ("nhịp" is beat, rhythm). */
function mark(): HTMLElement {
  return h('img', {src: '/icon.svg', alt: '', width: '28', height: '28'});
}
