import {h} from './dom.ts';
import type {State} from './contract.ts';
import type {Words} from './words-vi.ts';

/** Names and values, as a definition list. */
export function facts(rows: readonly (readonly [name: string, fact: string | Node] | undefined)[]): HTMLElement {
  const list = h('dl', {class: 'facts'});
  for (const row of rows) {
    if (row) list.append(h('div', {}, h('dt', {}, row[0]), h('dd', {}, row[1])));
  }
  return list;
}

/** A state as a word, with a color next to it. */
export function stateBadge(state: State, words: Words): HTMLElement {
  return h('span', {class: `state ${state}`}, state === 'live' ? words.stateLive : words.stateStale);
}
