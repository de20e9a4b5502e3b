import type {Quantity, Value} from './contract.ts';
import {h} from './dom.ts';
import {colors, showable, stepOf} from './scale.ts';

/** The color of a value on the map; hollow if it has none. Always next to the number. */
export function swatch(quantity: Quantity | undefined, value: Value | undefined): HTMLElement {
  const element = h('span', {class: 'swatch', 'aria-hidden': 'true'});
  if (quantity && showable(value)) element.style.background = colors[stepOf(quantity, value.value)]?.fill ?? '';
  else element.classList.add('hollow');
  return element;
}
