import {describe, expect, test} from 'vitest';

import {quantities} from '../src/contract.ts';
import {chooseLanguage, Tongue} from '../src/i18n.ts';
import {en} from '../src/words-en.ts';
import {vi} from '../src/words-vi.ts';

/** Every text with its path; functions are called with the numbers of their arguments. */
function texts(words: object, way = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]): [string, string][] => {
    const here = `${way}${key}`;
    if (typeof value === 'function') return [[here, (value as (...a: string[]) => string)('«1»', '«2»', '«3»')]];
    if (typeof value === 'object') return texts(value as object, `${here}.`);
    return [[here, String(value)]];
  });
}

describe('both languages', () => {
  const [inVi, inEn] = [new Map(texts(vi)), new Map(texts(en))];

  test('have the same keys', () => expect([...inEn.keys()].toSorted()).toEqual([...inVi.keys()].toSorted()));

  test.each([...inVi.keys()])('%s is said, with the same parts', (key) => {
    const parts = (text = ''): string[] => [...new Set(text.match(/«\d»/g))].toSorted();
    expect(inVi.get(key)?.trim()).toBeTruthy();
    expect(inEn.get(key)?.trim()).toBeTruthy();
    expect(parts(inEn.get(key))).toEqual(parts(inVi.get(key)));
  });

  test('use one Unicode form of Vietnamese, which fonts support', () => {
    for (const text of inVi.values()) expect(text).toBe(text.normalize('NFC'));
  });

  test.each(quantities)('name %s', (quantity) => {
    expect(vi.quantities[quantity]).toBeTruthy();
    expect(en.quantities[quantity]).toBeTruthy();
  });
});

test.each([
  [null, ['vi-VN'], 'vi'],
  [null, ['en-US', 'vi'], 'en'],
  [null, ['fr-FR', 'en'], 'en'],
  [null, ['fr-FR'], 'vi'],
  [null, [], 'vi'],
  ['en', ['vi-VN'], 'en'],
  ['vi', ['en-US'], 'vi'],
  ['xx', ['en-US'], 'en'],
])('remembered %j and preferred %j gives %s', (remembered, preferred, lang) => {
  expect(chooseLanguage(remembered, preferred)).toBe(lang);
});

test('listeners are notified once of a language change', () => {
  const tongue = new Tongue('vi');
  const heard: string[] = [];
  tongue.each(() => heard.push(tongue.words.near));
  tongue.speak('en');
  tongue.speak('en');
  expect(heard).toEqual([vi.near, en.near]);
});
