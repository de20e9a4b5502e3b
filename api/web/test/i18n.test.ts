import {describe, expect, test} from 'vitest';

import {airWords} from '../src/air/air-words.ts';
import {frameWords} from '../src/app/words.ts';
import {chooseLanguage} from '../src/core/i18n.ts';
import {remindWords} from '../src/rider/remind-words.ts';
import {reportWords} from '../src/rider/report-words.ts';
import {viewWords} from '../src/rider/view-words.ts';

const all = {frame: frameWords, air: airWords, rider: viewWords, report: reportWords, remind: remindWords};

/** Every text with its path; functions are called with the numbers of their arguments. */
function said(words: object, way = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]): [string, string][] => {
    const here = `${way}${key}`;
    if (typeof value === 'function') return [[here, (value as (...a: string[]) => string)('«1»', '«2»', '«3»')]];
    if (typeof value === 'object') return said(value as object, `${here}.`);
    return [[here, String(value)]];
  });
}

describe.each(Object.entries(all))('the texts of %s', (_, {vi, en}) => {
  const [inVi, inEn] = [new Map(said(vi)), new Map(said(en))];

  test('have the same keys', () => expect([...inEn.keys()].toSorted()).toEqual([...inVi.keys()].toSorted()));

  test.each([...inVi.keys()])('%s is said in both languages, with the same parts', (key) => {
    const parts = (text = ''): string[] => [...new Set(text.match(/«\d»/g))].toSorted();
    expect(inVi.get(key)?.trim()).toBeTruthy();
    expect(inEn.get(key)?.trim()).toBeTruthy();
    expect(parts(inEn.get(key))).toEqual(parts(inVi.get(key)));
  });

  test('use one Unicode form of Vietnamese, which fonts support', () => {
    for (const text of inVi.values()) expect(text).toBe(text.normalize('NFC'));
  });
});

test.each([
  [null, null, ['vi-VN'], 'vi'],
  [null, null, ['en-US', 'vi'], 'en'],
  [null, null, ['fr-FR', 'en'], 'en'],
  [null, null, ['fr-FR'], 'vi'],
  [null, null, [], 'vi'],
  [null, 'en', ['vi-VN'], 'en'],
  ['vi', 'en', ['en-US'], 'vi'],
  ['xx', null, ['en-US'], 'en'],
] as const)('asked %j, remembered %j and preferred %j gives %s', (asked, remembered, preferred, lang) => {
  expect(chooseLanguage(asked, remembered, preferred)).toBe(lang);
});
