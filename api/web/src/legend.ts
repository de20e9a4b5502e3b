import type {Quantity} from './contract.ts';
import {quantities} from './contract.ts';
import {h} from './dom.ts';
import type {Tongue} from './i18n.ts';
import {type Range, ranges} from './scale.ts';

/** Draws the legend: the quantity, the range of each color, and a note that the scale is not an index.
 * `choose` is called with the chosen quantity. */
export function drawLegend(root: HTMLElement, tongue: Tongue, first: Quantity, choose: (quantity: Quantity) => void): void {
  let quantity = first;
  const steps = h('ol', {class: 'steps', id: 'steps'});
  const turn = (to: Quantity): void => {
    quantity = to;
    fill(steps, quantity, tongue);
    choose(quantity);
  };
  tongue.each(() => {
    root.replaceChildren(head(quantity, tongue, turn), steps, note(tongue));
    fill(steps, quantity, tongue);
  });
}

function head(quantity: Quantity, {words}: Tongue, turn: (to: Quantity) => void): HTMLElement {
  const options = quantities.map((q) => h('option', {value: q, selected: q === quantity}, words.quantities[q] ?? q));
  const select = h('select', {id: 'quantity', 'aria-label': words.quantity}, ...options);
  select.addEventListener('change', () => turn(select.value as Quantity));
  return h('div', {class: 'legend-head'}, h('h2', {id: 'legend-title'}, words.legendTitle), select, h('span', {class: 'unit'}, 'µg/m³'));
}

function note({words}: Tongue): HTMLElement {
  return h('p', {class: 'legend-note'}, words.legendNote, ' ', h('span', {class: 'legend-stale'}, words.legendStale));
}

function fill(steps: HTMLElement, quantity: Quantity, tongue: Tongue): void {
  steps.replaceChildren(...ranges(quantity).map((range) => step(range, tongue)));
}

function step({from, to, color}: Range, {words, format}: Tongue): HTMLElement {
  const [low, high] = [format.short(from), to === undefined ? '' : format.short(to)];
  const bar = h('span', {class: 'step-color', 'aria-hidden': 'true'});
  bar.style.background = color.fill;
  const spoken = to === undefined ? words.legendFrom(low) : words.legendSpan(low, high);
  const written = to === undefined ? `> ${low}` : `${low}–${high}`;
  return h('li', {}, bar, h('span', {class: 'unseen'}, spoken), h('span', {'aria-hidden': 'true'}, written));
}
