// The addresses of the views, without a browser.

/** Matches a path with a pattern such as /stop/:id or /air/zone/:kind/:id; returns its decoded parts. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const [want, have] = [pattern.split('/'), path.split('/')];
  if (want.length !== have.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const value = have[i] ?? '';
    if (!part.startsWith(':')) {
      if (part !== value) return undefined;
      continue;
    }
    if (!value) return undefined;
    try {
      parts[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return undefined; // %zz
    }
  }
  return parts;
}

export const paths = {
  home: '/',
  stop: (id: string) => `/stop/${encodeURIComponent(id)}`,
  line: (id: string, direction?: 0 | 1) => `/line/${encodeURIComponent(id)}${direction === undefined ? '' : `?dir=${direction}`}`,
  bus: (agency: string, id: string) => `/bus/${encodeURIComponent(agency)}/${encodeURIComponent(id)}`,
  search: '/search',
  saved: '/saved',
  air: '/air',
  airAt: ([lon, lat]: readonly [number, number]) => `/air/at/${lat.toFixed(5)},${lon.toFixed(5)}`,
  station: (id: string) => `/air/station/${encodeURIComponent(id)}`,
  more: '/more',
  report: (about: {bus?: string | undefined; stop?: string | undefined; line?: string | undefined}) => {
    const query = new URLSearchParams(Object.entries(about).filter((e): e is [string, string] => e[1] !== undefined)).toString();
    return `/report${query && `?${query}`}`;
  },
  sent: (id: string) => `/report/${encodeURIComponent(id)}`,
};
