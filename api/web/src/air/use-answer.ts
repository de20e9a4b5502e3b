import {useEffect, useRef, useState} from 'preact/hooks';

import {api} from '../core/city.ts';

/** An answer of the api in a component. While another address loads, `data` is the last answer and `old` is true. */
export interface Answer<T> {
  data: T | undefined;
  error: unknown;
  old: boolean;
  /** Age of the answer in ms, if it was kept by the service worker; 0 if it is fresh. */
  staleMs: number;
  reload(): void;
}

/** Asks for the JSON of an address, again when the address changes and, if `every` is given, after so many ms. Undefined asks nothing. */
export function useAnswer<T>(path: string | undefined, every?: number): Answer<T> {
  const [state, setState] = useState<{path: string | undefined; data: T | undefined; error: unknown; staleMs: number}>(() => ({path, data: path === undefined ? undefined : api.seed<T>(path), error: undefined, staleMs: 0}));
  const [round, setRound] = useState(0);
  const seeded = useRef(state.data !== undefined);

  useEffect(() => {
    if (path === undefined) return undefined;
    if (seeded.current) {
      seeded.current = false;
      return undefined;
    }
    const asking = new AbortController();
    api.fetched<T>(path, asking.signal).then(
      ({data, staleMs}) => setState({path, data, error: undefined, staleMs}),
      (error: unknown) => {
        if (!asking.signal.aborted) setState((before) => ({path, data: before.path === path ? before.data : undefined, error, staleMs: before.staleMs}));
      },
    );
    return () => asking.abort();
  }, [path, round]);

  useEffect(() => {
    if (path === undefined || every === undefined) return undefined;
    const timer = setInterval(() => document.hidden || setRound((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [path, every]);

  return {data: state.data, error: state.error, old: state.path !== path, staleMs: state.staleMs, reload: () => setRound((n) => n + 1)};
}
