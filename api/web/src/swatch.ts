import type {Quantity, Value} from './contract.ts';
import {h} from './dom.ts';
import {colours, showable, stepOf} from './scale.ts';

/** The colour a value has on the map; hollow where it has none. Always beside the number itself. */
export function swatch(quantity: Quantity | undefined, value: Value | undefined): HTMLElement {
  const element = h('span', {class: 'swatch', 'aria-hidden': 'true'});
  if (quantity && showable(value)) element.style.background = colours[stepOf(quantity, value.value)]?.fill ?? '';
  else element.classList.add('hollow');
  return element;
}
