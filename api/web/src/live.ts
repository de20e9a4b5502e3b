import {eventNames, type Listener, Session} from './session.ts';

/** The part of EventSource that is used. */
export interface Source {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: {data?: unknown}) => void): void;
  close(): void;
}

/** How a line is opened and waited for; tests bring their own. */
export interface Wire {
  open(url: string): Source;
  later(run: () => void, ms: number): void;
}

const closed = 2; // EventSource.CLOSED

/** The first and the longest wait before a refused line is tried again, in ms. */
const firstWait = 1000;
const longestWait = 30_000;

/**
 * Keeps a line to /v1/live. EventSource mends a line that breaks, but gives up for good on an
 * answer that is no stream (the api restarts: 502, 503); then another is opened, ever more slowly.
 */
export function listen(url: string, to: Listener, wire: Wire = browserWire): Session {
  const session = new Session(to);
  let wait = firstWait;

  const open = (): void => {
    const source = wire.open(url);
    for (const name of eventNames) {
      source.addEventListener(name, (event) => {
        if (name === 'ready') wait = firstWait;
        session.take(name, String(event.data ?? ''));
      });
    }
    source.addEventListener('error', () => {
      session.lost();
      if (source.readyState !== closed) return;
      source.close();
      wire.later(open, wait);
      wait = Math.min(wait * 2, longestWait);
    });
  };

  open();
  return session;
}

const browserWire: Wire = {
  open: (url) => new EventSource(url) as Source,
  later: (run, ms) => void setTimeout(run, ms),
};
