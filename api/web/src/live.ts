import {eventNames, type Listener, Session} from './session.ts';

/** The part of EventSource that is used. */
export interface Source {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: {data?: unknown; lastEventId?: string}) => void): void;
  close(): void;
}

/** How a connection is opened and how to wait; tests replace it. */
export interface Wire {
  open(url: string): Source;
  later(run: () => void, ms: number): void;
  every(run: () => void, ms: number): void;
  /** Milliseconds that never jump back. */
  now(): number;
}

const closed = 2; // EventSource.CLOSED

/** The first and the longest wait before a failed connection is retried, in ms. */
const firstWait = 1000;
const longestWait = 30_000;

/**
 * How long a connection may be without an event, and how often that is checked, in ms. The api sends an event every 15 s.
 * A browser does not notice a connection that is dead without having been closed.
 */
const silence = 40_000;
const checkEvery = 2500;

/**
 * Keeps a connection to /v1/live. EventSource reconnects after a broken connection, but gives up after an
 * answer that is not a stream (502, 503 while the api restarts); then a new one is opened, with growing delays.
 * A connection over which nothing arrives is replaced, too. A new connection continues where the last one broke, if that
 * is not long ago.
 */
export function listen(url: string, to: Listener, wire: Wire = browserWire): Session {
  const session = new Session(to);
  let wait = firstWait;
  let source: Source | undefined; // undefined while the next connection is waited for
  let last = ''; // id of the last event
  let received = 0; // when the last event arrived, or the connection was opened

  const open = (): void => {
    const own = wire.open(last ? `${url}${url.includes('?') ? '&' : '?'}last_event_id=${encodeURIComponent(last)}` : url);
    source = own;
    received = wire.now();
    for (const name of eventNames) {
      own.addEventListener(name, (event) => {
        if (source !== own) return;
        received = wire.now();
        last = event.lastEventId || last;
        if (name === 'ready' || name === 'resumed') wait = firstWait;
        session.take(name, String(event.data ?? ''));
      });
    }
    own.addEventListener('error', () => {
      if (source !== own) return;
      session.lost();
      if (own.readyState !== closed) return;
      own.close();
      source = undefined;
      wire.later(open, wait);
      wait = Math.min(wait * 2, longestWait);
    });
  };

  open();
  wire.every(() => {
    if (!source || wire.now() - received < silence) return;
    session.lost();
    source.close();
    open();
  }, checkEvery);
  return session;
}

const browserWire: Wire = {
  open: (url) => new EventSource(url) as Source,
  later: (run, ms) => void setTimeout(run, ms),
  every: (run, ms) => void setInterval(run, ms),
  now: () => performance.now(),
};
