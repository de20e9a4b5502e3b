type Child = Node | string | undefined;

interface Attributes {
  class?: string;
  id?: string;
  onclick?: (event: MouseEvent) => void;
  [attribute: string]: string | boolean | undefined | ((event: MouseEvent) => void);
}

/** Creates an element. A true attribute is set to the empty string, a false or undefined one is omitted. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener('click', value as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (typeof value === 'string') element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Returns an element of index.html; throws if it is missing. */
export function at<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as unknown as T;
}

const drawings = {
  bus: 'M6 4h12a2 2 0 0 1 2 2v10a2 2 0 0 1-1 1.7V20h-2.5v-2h-9v2H5v-2.3A2 2 0 0 1 4 16V6a2 2 0 0 1 2-2zm0 2.5V11h12V6.500zM7.500 13.500a1.200 1.200 0 1 0 0 2.400 1.200 1.200 0 0 0 0-2.400zm9 0a1.200 1.200 0 1 0 0 2.400 1.200 1.200 0 0 0 0-2.400z',
  air: 'M3 8h10.500a2.500 2.500 0 1 0-2.400-3.200l1.900.5a.6.6 0 1 1 .5.7H3zm0 3.500v2h15a1.200 1.200 0 1 1-1.100 1.700l-1.800.9A3.200 3.200 0 1 0 18 11.500zM3 17v2h7.500a.7.7 0 1 1-.6 1l-1.800.9A2.700 2.700 0 1 0 10.500 17z',
  close: 'M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12l5.600 5.600-1.400 1.400-5.600-5.600L6.400 19 5 17.600l5.600-5.600L5 6.400z',
  back: 'M14.600 5 16 6.400 10.400 12l5.600 5.600-1.400 1.400-7-7z',
  here: 'M11 2h2v2.100A8 8 0 0 1 19.900 11H22v2h-2.100a8 8 0 0 1-6.900 6.900V22h-2v-2.100A8 8 0 0 1 4.100 13H2v-2h2.100A8 8 0 0 1 11 4.100zm1 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zm0 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6z',
  pin: 'M12 2a7 7 0 0 1 7 7c0 4.600-5 10.700-7 13-2-2.300-7-8.400-7-13a7 7 0 0 1 7-7zm0 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z',
  centre: 'M11 3h2v8h8v2h-8v8h-2v-8H3v-2h8z',
} as const;

/** A small icon next to a word. The word is sufficient, so the icon is hidden from screen readers. */
export function icon(name: keyof typeof drawings): Element {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  for (const [key, value] of Object.entries({viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'icon'})) svg.setAttribute(key, value);
  path.setAttribute('d', drawings[name]);
  path.setAttribute('fill-rule', 'evenodd');
  svg.append(path);
  return svg;
}
