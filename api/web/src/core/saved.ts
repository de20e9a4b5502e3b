import {isLonLat, type LonLat} from './contract.ts';
import {recall, remember} from './memory.ts';
import {Store} from './store.ts';

// What riders save. It stays on the device.

/** A stop, or one line in one direction at a stop. */
export interface Saved {
  stop: string;
  name: string;
  at: LonLat;
  line?: {route: string; number: string; direction?: 0 | 1 | undefined; headsign: string};
}

export type Homes = {home?: LonLat; work?: LonLat};

/** At most so many things are kept. */
const most = 50;

/** What was remembered of homes; anything else is dropped. */
export function readHomes(kept: unknown): Homes {
  const all = (kept ?? {}) as Record<string, unknown>;
  return {...(isLonLat(all['home']) ? {home: all['home']} : {}), ...(isLonLat(all['work']) ? {work: all['work']} : {})};
}

/** What was remembered as saved; anything else is dropped. */
export function readSaved(kept: unknown): Saved[] {
  const all = Array.isArray(kept) ? (kept as (Partial<Saved> | null)[]) : [];
  return all.filter((item): item is Saved => typeof item?.stop === 'string' && typeof item.name === 'string' && isLonLat(item.at) && (item.line === undefined || typeof item.line?.route === 'string')).slice(0, most);
}

export const homes = new Store<Homes>(readHomes(recall<unknown>('homes', {})));
export const saved = new Store<readonly Saved[]>(readSaved(recall<unknown>('saved', [])));

export function setHome(which: keyof Homes, at: LonLat | undefined): void {
  const {[which]: _was, ...rest} = homes.get();
  const next: Homes = at ? {...rest, [which]: at} : rest;
  remember('homes', next);
  homes.set(next);
}

/** What makes two saved things the same. */
export function savedKey({stop, line}: Pick<Saved, 'stop' | 'line'>): string {
  return line ? `${stop}|${line.route}|${line.direction ?? ''}` : stop;
}

export function isSaved(all: readonly Saved[], item: Pick<Saved, 'stop' | 'line'>): boolean {
  return all.some((other) => savedKey(other) === savedKey(item));
}

function change(next: readonly Saved[]): void {
  remember('saved', next);
  saved.set(next);
}

/** Saves a thing, or removes it if it is there. */
export function toggleSaved(item: Saved): void {
  const all = saved.get();
  change(isSaved(all, item) ? all.filter((other) => savedKey(other) !== savedKey(item)) : [...all, item].slice(-most));
}

/** Moves a saved thing by so many places. */
export function moveSaved(item: Saved, by: number): void {
  const all = [...saved.get()];
  const from = all.findIndex((other) => savedKey(other) === savedKey(item));
  const to = Math.max(0, Math.min(all.length - 1, from + by));
  if (from < 0 || from === to) return;
  all.splice(to, 0, ...all.splice(from, 1));
  change(all);
}
