import {h, icon} from './dom.ts';
import type {Tongue} from './i18n.ts';
import type {Words} from './words-vi.ts';

/** The notices at the top of the page. */
export type Notice = 'lost' | 'mapFailed' | 'styleFailed' | 'networkFailed' | 'webglFailed';

/** The visible notices, announced to screen readers and in the language of the page. */
export class Notices {
  readonly #root: HTMLElement;
  readonly #tongue: Tongue;
  readonly #up = new Set<Notice>();

  constructor(root: HTMLElement, tongue: Tongue) {
    this.#root = root;
    this.#tongue = tongue;
    root.setAttribute('role', 'status');
    tongue.each(() => this.#build());
  }

  show(notice: Notice): void {
    if (this.#up.has(notice)) return;
    this.#up.add(notice);
    this.#build();
  }

  hide(notice: Notice): void {
    if (this.#up.delete(notice)) this.#build();
  }

  #build(): void {
    const {words} = this.#tongue;
    this.#root.replaceChildren(...[...this.#up].map((notice) => this.#one(notice, words)));
  }

  #one(notice: Notice, words: Words): HTMLElement {
    return h('p', {class: 'notice', 'data-notice': notice}, h('span', {}, words[notice]),
      h('button', {type: 'button', class: 'round small', 'aria-label': words.dismiss, onclick: () => this.hide(notice)}, icon('close')));
  }
}
