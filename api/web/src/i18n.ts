import {Format} from './format.ts';
import {en} from './words-en.ts';
import {vi, type Words} from './words-vi.ts';

export type Lang = 'vi' | 'en';

/** The languages of the page, by their own names. */
export const languages: Record<Lang, {words: Words; name: string; short: string}> = {
  vi: {words: vi, name: 'Tiếng Việt', short: 'VI'},
  en: {words: en, name: 'English', short: 'EN'},
};

const memory = 'nhip.language';

/** Chooses from the stored language and the browser's preferences: Vietnamese, unless the browser prefers English. */
export function chooseLanguage(remembered: string | null, preferred: readonly string[]): Lang {
  if (remembered === 'vi' || remembered === 'en') return remembered;
  const first = preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'vi' || tag === 'en');
  return first === 'en' ? 'en' : 'vi';
}

/** The language of the page with its texts and number formats. Notifies listeners of a change. */
export class Tongue {
  #lang: Lang;
  #format: Format;
  readonly #listeners: (() => void)[] = [];

  constructor(lang: Lang) {
    this.#lang = lang;
    this.#format = new Format(lang);
  }

  get lang(): Lang {
    return this.#lang;
  }

  get words(): Words {
    return languages[this.#lang].words;
  }

  get format(): Format {
    return this.#format;
  }

  /** Runs `apply` now and after every change of the language. */
  each(apply: () => void): void {
    this.#listeners.push(apply);
    apply();
  }

  speak(lang: Lang): void {
    if (lang === this.#lang) return;
    this.#lang = lang;
    this.#format = new Format(lang);
    remember(lang);
    for (const apply of this.#listeners) apply();
  }
}

/** Returns the language for this visitor. */
export function visitorsLanguage(): Lang {
  return chooseLanguage(recall(), navigator.languages);
}

// A browser may forbid storage; then the choice lasts as long as the page.
function recall(): string | null {
  try {
    return localStorage.getItem(memory);
  } catch {
    return null;
  }
}

function remember(lang: Lang): void {
  try {
    localStorage.setItem(memory, lang);
  } catch {
    // see above
  }
}
