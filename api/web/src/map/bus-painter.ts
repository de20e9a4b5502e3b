import type {LonLat} from '../core/contract.ts';
import type {Bus, Fleet} from './fleet.ts';

type Points = GeoJSON.FeatureCollection<GeoJSON.Point>;

/** Ms between two frames of the buses: 15 a second, 10 if there are many. A frame costs the
 * worker a new layout of all symbols in view. */
const few = 500;
const quick = 1000 / 15;
const slow = 1000 / 10;

/** The part of the map that the painter needs. */
export interface Canvas {
  /** Shows the points; resolves when the map has processed them. Undefined while the map has no style. */
  show(points: Points): Promise<void> | undefined;
  /** Reports whether a place is in view or close to it. */
  inView(at: LonLat): boolean;
  /** Reports whether a bus is shown at all. */
  wants(bus: Bus): boolean;
  /** A bus as a point at a place. */
  point(bus: Bus, at: LonLat): Points['features'][number];
}

/** Schedules frames; default: the browser. */
export type Frames = (run: (now: number) => void) => void;

/**
 * Draws the buses as they glide. It requests frames only while something moves or has changed, sends
 * only what is in view, and sends no further frame before the map has processed the last one.
 */
export class BusPainter {
  readonly #fleet: Fleet;
  readonly #canvas: Canvas;
  readonly #frames: Frames;
  readonly #now: () => number;
  #last = -Infinity;
  #running = false;
  #busy = false;
  #stale = false; // something changed since the last frame

  constructor(fleet: Fleet, canvas: Canvas, frames: Frames = (run) => void requestAnimationFrame(run), now: () => number = () => performance.now()) {
    this.#fleet = fleet;
    this.#canvas = canvas;
    this.#frames = frames;
    this.#now = now;
  }

  /** Reports a change: of a bus, its state, the view or the style. */
  wake(): void {
    this.#stale = true;
    if (this.#running) return;
    this.#running = true;
    this.#frames(this.#frame);
  }

  readonly #frame = (): void => {
    const now = this.#now();
    if (this.#due(now)) this.#paint(now);
    const moving = this.#fleet.moving(now);
    this.#stale ||= moving;
    this.#running = this.#stale;
    if (this.#running) this.#frames(this.#frame);
  };

  #due(now: number): boolean {
    return !this.#busy && now - this.#last >= (this.#fleet.size > few ? slow : quick);
  }

  #paint(now: number): void {
    const done = this.#canvas.show({type: 'FeatureCollection', features: this.#points(now)});
    if (!done) return;
    this.#last = now;
    this.#stale = false;
    this.#busy = true;
    done.catch(() => undefined).finally(() => (this.#busy = false));
  }

  #points(now: number): Points['features'] {
    const points: Points['features'] = [];
    for (const bus of this.#fleet.all()) {
      if (!this.#canvas.wants(bus)) continue;
      const at = this.#fleet.shown(bus.key, now);
      if (at && this.#canvas.inView(at)) points.push(this.#canvas.point(bus, at));
    }
    return points;
  }
}
