import {useEffect, useRef, useState} from 'preact/hooks';

import {ApiError} from './api.ts';
import {api} from './city.ts';

/** What is known of an answer that is asked for again and again. */
export interface Polled<T> {
  data: T | undefined;
  /** Why the last request failed; the data are then those of an earlier one. */
  error: unknown;
  /** Asks at once. */
  again(): void;
}

/** The last answers, so that going back shows a list at once. */
const last = new Map<string, unknown>();
const mostKept = 40;

/** Keeps an answer for views that ask for the same address. */
export function keep(path: string, data: unknown): void {
  last.delete(path);
  last.set(path, data);
  for (const oldest of last.keys()) {
    if (last.size <= mostKept) break;
    last.delete(oldest);
  }
}

/**
 * The answer of an address, asked for every `every` ms while the page is seen (0: once). An undefined address asks for
 * nothing. After a failure it asks again as late as the api wishes, at least after `every`.
 */
export function usePolled<T>(path: string | undefined, every: number): Polled<T> {
  const [state, setState] = useState<{path: string | undefined; data: T | undefined; error: unknown}>(() => ({path, data: known<T>(path), error: undefined}));
  const ask = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === undefined) return undefined;
    const off = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const request = async (): Promise<void> => {
      clearTimeout(timer);
      let wait = every;
      try {
        const {data, staleMs} = await api.fetched<T>(path, off.signal);
        keep(path, data);
        setState({path, data, error: staleMs > 0 ? new ApiError('offline', 'kept on the device') : undefined});
      } catch (error) {
        if (off.signal.aborted) return;
        wait = Math.max(every || 20_000, 1000 * (error instanceof ApiError ? (error.retryAfter ?? 0) : 0));
        setState((before) => ({path, data: before.path === path ? before.data : known<T>(path), error}));
        if (error instanceof ApiError && (error.trouble === 'not_found' || error.trouble === 'invalid')) return; // asking again does not help
      }
      if (wait > 0) timer = setTimeout(() => (document.hidden ? undefined : void request()), wait);
    };
    const seen = (): void => void (!document.hidden && every > 0 && void request());
    ask.current = () => void request();
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', seen);
    const ready = known<T>(path);
    setState((before) => (before.path === path ? before : {path, data: ready, error: undefined}));
    if (seeded.delete(path) && every > 0) timer = setTimeout(() => void request(), every);
    else void request();
    return () => {
      off.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', seen);
    };
  }, [path, every]);

  const current = state.path === path;
  return {data: current ? state.data : known<T>(path), error: current ? state.error : undefined, again: () => ask.current()};
}

/** Addresses whose answer the server wrote into the page: they are fresh. */
const seeded = new Set<string>();

function known<T>(path: string | undefined): T | undefined {
  if (path === undefined) return undefined;
  const seed = api.seed<T>(path);
  if (seed !== undefined) {
    keep(path, seed);
    seeded.add(path);
  }
  return last.get(path) as T | undefined;
}
