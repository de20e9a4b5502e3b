// Which addresses the worker keeps for saved stops: their timetables of a week, and their lines.

/** A saved stop, or a line at one; see core/saved.ts. */
export interface SavedStop {
  stop: string;
  line?: {route: string; direction?: number | undefined};
}

/** How many saved things are kept for the time without a network, and for how many days. */
export const mostSaved = 12;
export const days = 7;

/** The service day of a moment in Hanoi and those after it, as the api writes dates. */
export function datesFrom(now: number, count: number): string[] {
  return Array.from({length: count}, (_, i) => new Date(now + 7 * 3_600_000 + i * 86_400_000).toISOString().slice(0, 10));
}

/** The addresses of saved things, as the views ask for them. */
export function addressesOf(saved: readonly SavedStop[], now: number, address: (path: string, query: Record<string, string | number | undefined>) => string): string[] {
  const all = new Set<string>();
  for (const {stop, line} of saved.slice(0, mostSaved)) {
    const base = `/v1/stops/${encodeURIComponent(stop)}`;
    all.add(base);
    if (line) all.add(`/v1/routes/${encodeURIComponent(line.route)}`);
    for (const date of datesFrom(now, days)) {
      all.add(address(`${base}/timetable`, {date, routes: line?.route, direction: line?.direction}));
      if (line) all.add(address(`${base}/timetable`, {date, routes: undefined}));
    }
  }
  return [...all];
}
