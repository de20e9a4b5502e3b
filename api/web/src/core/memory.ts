// What stays on the device. A browser may forbid storage; then it lasts as long as the page.

const kept = new Map<string, string>();

/** Returns what was remembered under a name, or `otherwise` if there is nothing or it can't be read. */
export function recall<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`nhip.${name}`) ?? kept.get(name);
    return text === null || text === undefined ? otherwise : (JSON.parse(text) as T);
  } catch {
    const text = kept.get(name);
    return text === undefined ? otherwise : (JSON.parse(text) as T);
  }
}

/** Remembers a value under a name; undefined forgets it. */
export function remember(name: string, value: unknown): void {
  if (value === undefined) kept.delete(name);
  else kept.set(name, JSON.stringify(value));
  try {
    if (value === undefined) localStorage.removeItem(`nhip.${name}`);
    else localStorage.setItem(`nhip.${name}`, JSON.stringify(value));
  } catch {
    // see above
  }
}
