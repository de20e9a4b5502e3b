import {Format} from './format.ts';
import {recall, remember} from './memory.ts';
import {Store, useStore} from './store.ts';

export type Lang = 'vi' | 'en';

/** The languages of the app, by their own names. */
export const languages: Record<Lang, {name: string; short: string}> = {
  vi: {name: 'Tiếng Việt', short: 'VI'},
  en: {name: 'English', short: 'EN'},
};

const memory = 'language';

/** Chooses from the address, the stored choice and the browser's preferences: Vietnamese, unless English is preferred. */
export function chooseLanguage(asked: string | null, remembered: string | null, preferred: readonly string[]): Lang {
  for (const lang of [asked, remembered]) if (lang === 'vi' || lang === 'en') return lang;
  const first = preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'vi' || tag === 'en');
  return first === 'en' ? 'en' : 'vi';
}

/** The language of the app. */
export const lang = new Store<Lang>('vi');

const formats: Record<Lang, Format | undefined> = {vi: undefined, en: undefined};

/** Numbers and times in a language. */
export function formatOf(code: Lang): Format {
  return (formats[code] ??= new Format(code));
}

/** Changes the language and remembers it. */
export function speak(code: Lang): void {
  remember(memory, code);
  lang.set(code);
}

/** Chooses the language for this visitor. */
export function startLanguage(asked: string | null): void {
  lang.set(chooseLanguage(asked, recall<string | null>(memory, null), navigator.languages));
}

/** Texts in both languages. A key that is missing in one of them does not compile. */
export interface Texts<W> {
  vi: W;
  en: W;
}

/** Returns texts with the type of the Vietnamese ones: `export const words = texts({...}, {...})`. */
export function texts<W>(vi: W, en: NoInfer<W>): Texts<W> {
  return {vi, en};
}

/** The texts in the language of the app, its formats and its code; the component follows a change of the language. */
export function useWords<W>(all: Texts<W>): {w: W; f: Format; lang: Lang} {
  const code = useStore(lang);
  return {w: all[code], f: formatOf(code), lang: code};
}

/** A name of the api in a language. */
export function nameIn(name: {vi: string; en: string} | undefined, code: Lang): string {
  return name?.[code] ?? name?.vi ?? '';
}
