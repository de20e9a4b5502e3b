import {h} from './dom.ts';

/** A list of buttons that is updated in place: a button under a finger or with the focus
 * stays the same button. */
export class Rows<T> {
  readonly list: HTMLElement;
  readonly #class: string;
  readonly #choose: (item: T) => void;
  #rows = new Map<string, {li: HTMLElement; button: HTMLButtonElement; item: T}>();

  constructor(list: HTMLElement, buttonClass: string, choose: (item: T) => void) {
    this.list = list;
    this.#class = buttonClass;
    this.#choose = choose;
  }

  /** Shows these items in this order; `key` identifies an item over time, `fill` fills its row. */
  show(items: readonly T[], key: (item: T) => string, fill: (item: T) => (Node | string)[]): void {
    const before = this.#rows;
    this.#rows = new Map();
    const focused = document.activeElement;
    for (const item of items) {
      const name = key(item);
      const row = before.get(name) ?? this.#make(name, item);
      row.item = item;
      row.button.replaceChildren(...fill(item));
      this.#rows.set(name, row);
    }
    for (const [name, {li}] of before) if (!this.#rows.has(name)) li.remove();
    this.#arrange([...this.#rows.values()].map((row) => row.li));
    if (focused instanceof HTMLElement && this.list.contains(focused)) focused.focus({preventScroll: true});
  }

  /** Runs `change` on the button of every row. */
  each(change: (button: HTMLButtonElement, key: string) => void): void {
    for (const [key, {button}] of this.#rows) change(button, key);
  }

  #make(key: string, item: T): {li: HTMLElement; button: HTMLButtonElement; item: T} {
    const button = h('button', {type: 'button', class: this.#class, 'data-key': key, onclick: () => this.#choose(this.#rows.get(key)?.item ?? item)});
    return {li: h('li', {}, button), button, item};
  }

  #arrange(wanted: readonly HTMLElement[]): void {
    for (const [i, li] of wanted.entries()) {
      const there = this.list.children[i] ?? null;
      if (there !== li) this.list.insertBefore(li, there);
    }
  }
}
