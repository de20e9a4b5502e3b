import {h, icon} from './dom.ts';
import type {Tongue} from './i18n.ts';

/** The content of a panel. */
export interface View {
  title(): string;
  /** Fills an empty body; called again after a change of the language. */
  build(body: HTMLElement): void;
  /** Called once a second while it is shown. */
  tick?(): void;
  /** Called when it is no longer shown. */
  hidden?(): void;
}

/** The panel next to the map (below it on a phone). A view that was opened from a list leads back to it. */
export class Panel {
  readonly #root: HTMLElement;
  readonly #tongue: Tongue;
  readonly #views: View[] = [];
  #opener: Element | null = null;
  /** Called whenever another view, or none, is on top. */
  onChange: (top: View | undefined) => void = () => undefined;

  constructor(root: HTMLElement, tongue: Tongue) {
    this.#root = root;
    this.#tongue = tongue;
    tongue.each(() => this.#build());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.top && !event.defaultPrevented) this.back();
    });
  }

  get top(): View | undefined {
    return this.#views.at(-1);
  }

  /** Shows a view alone. */
  open(view: View): void {
    if (this.#views.length === 0) this.#opener = document.activeElement;
    this.top?.hidden?.();
    this.#views.splice(0, this.#views.length, view);
    this.#show();
  }

  /** Shows a view over the current one. */
  push(view: View): void {
    if (!this.top) return this.open(view);
    this.top.hidden?.();
    this.#views.push(view);
    this.#show();
  }

  /** Returns to the view below, or closes. */
  back(): void {
    this.top?.hidden?.();
    this.#views.pop();
    if (this.top) this.#show();
    else this.#close();
  }

  close(): void {
    this.top?.hidden?.();
    this.#views.length = 0;
    this.#close();
  }

  tick(): void {
    this.top?.tick?.();
  }

  /** Updates the title from the view. */
  retitle(): void {
    const title = this.#root.querySelector('h2');
    if (title && this.top && title.textContent !== this.top.title()) title.textContent = this.top.title();
  }

  #close(): void {
    this.#build();
    this.onChange(undefined);
    if (this.#opener instanceof HTMLElement && this.#opener.isConnected) this.#opener.focus();
    this.#opener = null;
  }

  #show(): void {
    this.#build();
    this.#root.querySelector('h2')?.focus({preventScroll: true});
    this.onChange(this.top);
  }

  #build(): void {
    this.#root.hidden = !this.top;
    this.#root.replaceChildren();
    if (!this.top) return;
    const body = h('div', {class: 'panel-body'});
    this.#root.append(this.#head(this.top), body);
    this.top.build(body);
  }

  #head(view: View): HTMLElement {
    const {words} = this.#tongue;
    const deep = this.#views.length > 1;
    return h('div', {class: 'panel-head'},
      deep ? h('button', {type: 'button', class: 'round', 'aria-label': words.back, onclick: () => this.back()}, icon('back')) : undefined,
      h('h2', {id: 'panel-title', tabindex: '-1'}, view.title()),
      h('button', {type: 'button', class: 'round', id: 'panel-close', 'aria-label': words.close, onclick: () => this.close()}, icon('close')),
    );
  }
}
