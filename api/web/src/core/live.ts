import type {Arrivals, ServiceAlert} from '../openapi.ts';
import type {BusInfo, Gone, Hello, Row, StationFeature, TileVersions} from './contract.ts';
import {Store} from './store.ts';

/** What a view wants to hear of. Everything that views want is added up, and only the newest box counts. */
export interface Want {
  /** minLon, minLat, maxLon, maxLat: buses and stations in it. */
  bbox?: readonly [number, number, number, number] | undefined;
  zoom?: number | undefined;
  /** Ids of routes: their buses. */
  lines?: readonly string[];
  /** Ids of stops: their boards. */
  stops?: readonly string[];
  stations?: readonly string[];
  /** kind/id */
  zones?: readonly string[];
}

/** The state of the connection; `off` while the page is hidden. */
export type Link = 'connecting' | 'live' | 'lost' | 'off';

/** Where a bus is. */
export interface Fix {
  lon: number;
  lat: number;
  /** Seconds since the bus was there. */
  age: number;
  bearing: number | null;
  /** As in GTFS-realtime: 0 empty … 5 full; null: unknown. */
  occupancy: number | null;
  stale: boolean;
}

/** The events that views follow. */
export interface LiveEvents {
  hello: Hello;
  beat: Hello;
  bus: {bus: BusInfo; fix: Fix; n: number};
  move: {n: number; fix: Fix};
  busGone: {n: number};
  air: StationFeature;
  stationGone: {id: string};
  board: Arrivals;
  zone: {id: string; [more: string]: unknown};
  'service-alert': ServiceAlert;
  alertGone: {feed: string; id: string};
  /** The complete state of the subscription was sent. */
  ready: undefined;
  tiles: TileVersions;
}

/** A WebSocket, as far as it is used; tests replace it. */
export interface Socket {
  addEventListener(type: 'message' | 'close', listener: (event: {data?: unknown}) => void): void;
  send(text: string): void;
  close(): void;
  readonly readyState: number;
}

/** How a connection is opened and how to wait; tests replace it. */
export interface Wire {
  open(path: string): Socket;
  later(run: () => void, ms: number): void;
  every(run: () => void, ms: number): void;
  /** Milliseconds that never jump back. */
  now(): number;
}

/** The first and the longest wait before a lost connection is opened again, in ms. */
const firstWait = 1000;
const longestWait = 30_000;

/** The api sends an event every 15 s. A connection without one for this long is dead, though it looks open. ms. */
export const silence = 38_000;
const checkEvery = 1000;

/** How long a connection may be away before the rider is told; most come back at once. ms. */
const patience = 4000;

/** The shortest time between two subscriptions, ms: the api allows one a second. */
const settle = 400;

const open = 1; // WebSocket.OPEN

/**
 * The stream /v1/live in its short form, over one WebSocket whose subscription follows what views want. It is opened
 * again after it broke, and closed while the page is hidden.
 */
export class Live {
  readonly link = new Store<Link>('connecting');
  /** When the last event came before the connection was lost, in ms since 1970 of the device; undefined while live. */
  readonly lostSince = new Store<number | undefined>(undefined);
  readonly #wire: Wire;
  readonly #wants = new Map<object, Want>();
  readonly #listeners = new Map<keyof LiveEvents, Set<(data: never) => void>>();
  #socket: Socket | undefined;
  #sent = '';
  #due = false;
  #wait = firstWait;
  #heard = 0;
  #brokeAt: number | undefined;
  #origin: readonly [number, number] = [0, 0];
  #hidden = false;
  #attempt = 0;
  #beat = 0;

  constructor(wire: Wire = browserWire) {
    this.#wire = wire;
  }

  /** Opens the connection. */
  start(): void {
    this.#open();
    this.#wire.every(() => this.#check(), checkEvery);
  }

  /** Adds to the subscription; returns what takes it away again. */
  want(want: Want): () => void {
    const key = {};
    this.#wants.set(key, want);
    this.#change();
    return () => {
      this.#wants.delete(key);
      this.#change();
    };
  }

  on<E extends keyof LiveEvents>(event: E, listener: (data: LiveEvents[E]) => void): () => void {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
    return () => void all.delete(listener);
  }

  /** A hidden page needs no stream. */
  hide(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    if (hidden) {
      this.#drop();
      this.link.set('off');
    } else {
      this.link.set('connecting');
      this.#wait = firstWait;
      this.#open();
    }
  }

  /** The platform's time when the last beat came, ms since 1970; 0 before the first one. */
  heardAt(): number {
    return this.#beat;
  }

  /** Tries at once, as after the network came back. */
  retry(): void {
    if (this.#hidden || this.link.get() === 'live') return;
    this.#wait = firstWait;
    this.#drop();
    this.#open();
  }

  /** What views want, and all service alerts: so the connection is never for nothing. */
  #subscription(): Want & {alerts: 'all'} {
    const sum = {lines: new Set<string>(), stops: new Set<string>(), stations: new Set<string>(), zones: new Set<string>()};
    let [bbox, zoom]: [Want['bbox'], Want['zoom']] = [undefined, undefined];
    for (const want of this.#wants.values()) {
      if (want.bbox) [bbox, zoom] = [want.bbox, want.zoom];
      for (const kind of ['lines', 'stops', 'stations', 'zones'] as const) for (const id of want[kind] ?? []) sum[kind].add(id);
    }
    const asked: Want = {lines: [...sum.lines].slice(0, 20), stops: [...sum.stops].slice(0, 10), stations: [...sum.stations].slice(0, 100), zones: [...sum.zones].slice(0, 20)};
    if (bbox) asked.bbox = bbox;
    if (zoom !== undefined) asked.zoom = Math.round(zoom);
    return {...asked, alerts: 'all'};
  }

  #change(): void {
    if (this.#due) return;
    this.#due = true;
    this.#wire.later(() => {
      this.#due = false;
      const wanted = JSON.stringify(this.#subscription());
      if (wanted === this.#sent || this.#socket?.readyState !== open) return;
      this.#sent = wanted;
      this.#socket.send(JSON.stringify({type: 'subscribe', ...JSON.parse(wanted)}));
    }, settle);
  }

  #open(): void {
    const asked = this.#subscription();
    this.#sent = JSON.stringify(asked);
    const query = Object.entries(asked).flatMap(([name, value]) => (Array.isArray(value) && value.length === 0 ? [] : [`${name}=${encodeURIComponent(String(value))}`]));
    const own = this.#wire.open(`/v1/live?form=short&${query.join('&')}`);
    this.#socket = own;
    this.#heard = this.#wire.now();
    const attempt = ++this.#attempt;
    own.addEventListener('message', ({data}) => {
      if (this.#socket !== own) return;
      this.#heard = this.#wire.now();
      this.#read(String(data));
    });
    own.addEventListener('close', () => {
      if (this.#socket !== own) return;
      this.#socket = undefined;
      this.#brokeAt ??= this.#wire.now();
      this.#wire.later(() => {
        if (!this.#socket && !this.#hidden && attempt === this.#attempt) this.#open();
      }, this.#wait);
      this.#wait = Math.min(this.#wait * 2, longestWait);
    });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #check(): void {
    if (this.#hidden) return;
    const now = this.#wire.now();
    if (this.#socket && now - this.#heard >= silence) {
      this.#brokeAt ??= this.#heard;
      this.#drop();
      this.#open();
    }
    if (this.#brokeAt === undefined || now - this.#brokeAt < patience || this.link.get() === 'lost') return;
    this.lostSince.set(Date.now() - (now - this.#brokeAt));
    this.link.set('lost');
  }

  #read(text: string): void {
    let message: Row[] | {event: string; data: unknown};
    try {
      message = JSON.parse(text) as typeof message;
    } catch {
      return console.warn('an unreadable message of the stream');
    }
    if (Array.isArray(message)) for (const row of message) this.#emit('move', {n: row[0], fix: this.#fix(row)});
    else this.#take(message.event, message.data);
  }

  #take(event: string, data: unknown): void {
    switch (event) {
      case 'hello':
      case 'resumed': {
        const hello = data as Hello;
        this.#origin = hello.origin ?? [0, 0];
        this.#wait = firstWait;
        this.#brokeAt = undefined;
        this.lostSince.set(undefined);
        this.link.set('live');
        this.#beat = Date.parse(hello.time);
        this.#change(); // what views have come to want while it was opened
        return this.#emit('hello', hello);
      }
      case 'bus': {
        const {row, n, ...bus} = data as BusInfo & {n: number; row: Row};
        return this.#emit('bus', {bus, n, fix: this.#fix(row)});
      }
      case 'gone': {
        const gone = data as Gone;
        if (gone.kind === 'bus') return this.#emit('busGone', {n: gone.n});
        if (gone.kind === 'air') return this.#emit('stationGone', {id: gone.id});
        if (gone.kind === 'service-alert') return this.#emit('alertGone', gone);
        return;
      }
      case 'air':
      case 'board':
      case 'zone':
      case 'tiles':
      case 'service-alert':
        return this.#emit(event, data as never);
      case 'beat':
        this.#beat = Date.parse((data as Hello).time);
        return this.#emit('beat', data as Hello);
      case 'ready':
        return this.#emit('ready', undefined);
    }
  }

  #fix([, x, y, age, bearing = null, occupancy = null, flags = 0]: Row): Fix {
    return {lon: this.#origin[0] + x / 1e5, lat: this.#origin[1] + y / 1e5, age, bearing, occupancy, stale: (flags & 1) !== 0};
  }

  #emit<E extends keyof LiveEvents>(event: E, data: LiveEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(data as never);
  }
}

const browserWire: Wire = {
  open: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, 'ws'))) as unknown as Socket,
  later: (run, ms) => void setTimeout(run, ms),
  every: (run, ms) => void setInterval(run, ms),
  now: () => performance.now(),
};
