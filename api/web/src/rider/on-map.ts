import {clock, live, now} from '../core/city.ts';
import {motionPaused} from '../core/motion.ts';
import {lang} from '../core/i18n.ts';
import {go} from '../app/route.ts';
import {paths} from '../app/paths.ts';
import type {Camera, Scene} from '../app/scene.ts';
import type {LonLat} from '../core/contract.ts';
import {BusOverlay} from '../map/bus-overlay.ts';
import {type Bus, certainty, Fleet, lineOf} from '../map/fleet.ts';
import {type Shapes, ShapeOverlay} from '../map/shape-overlay.ts';
import {riderWords} from './words.ts';

// What riders see on the map. It is loaded with the map, after the first list: views reach it through with-map.ts.

/** The buses of the stream, for all views. */
export const fleet = new Fleet(clock);

/** The buses on the map; one overlay serves all views, which say what it shows. */
const busOverlay = new BusOverlay(fleet, {
  label({info}) {
    const w = riderWords[lang.get()];
    const line = certainty(info) === 'unknown' ? undefined : lineOf(info);
    return line === undefined ? w.busUnknown : [w.line(line), info.headsign].filter(Boolean).join(' · ');
  },
  open: ({info}) => go(paths.bus(info.agency, info.id)),
});

live.on('hello', () => fleet.begin());
live.on('ready', () => (fleet.complete(), busOverlay.wake()));
live.on('bus', ({bus, n, fix}) => (fleet.put(bus, n, fix, performance.now(), document.hidden), busOverlay.wake()));
live.on('move', ({n, fix}) => (fleet.move(n, fix, performance.now(), document.hidden), busOverlay.wake()));
live.on('busGone', ({n}) => (fleet.remove(n), busOverlay.wake()));
now.subscribe(() => fleet.age() && busOverlay.wake());
const obey = (): void => void (fleet.gliding = !motionPaused.get());
motionPaused.subscribe(obey);
obey();

/** Ways and places on the map; one overlay serves all views. */
const shapeOverlay = new ShapeOverlay((stop) => go(paths.stop(stop)));

/** What a view of riders wants on the map. */
export interface Sight {
  camera?: Camera | undefined;
  shapes?: Partial<Shapes>;
  /** Which buses are shown; default: all of the stream. */
  only?: ((bus: Bus) => boolean) | undefined;
  /** Keys of buses that are never hidden by others. */
  chosen?: ReadonlySet<string>;
}

/** Redraws what a view wants, without a change of the camera. */
export function redraw({shapes, only, chosen}: Sight): void {
  busOverlay.only(only, chosen);
  shapeOverlay.set({ways: [], stops: [], ...shapes});
}

/** The scene of a view: buses, ways and places; a tap on nothing asks for the air there. */
export function sceneOf(sight: Sight): Scene {
  redraw(sight);
  return {overlays: [busOverlay, shapeOverlay], camera: sight.camera, bare: (at: LonLat) => go(paths.airAt(at))};
}

/** Every bus at its present place on the map, for the browser tests. */
export function busesOnMap(): {id: string; lon: number; lat: number}[] {
  const at = performance.now();
  return [...fleet.all()].map(({key}) => {
    const [lon, lat] = fleet.shown(key, at) ?? [Number.NaN, Number.NaN];
    return {id: key, lon, lat};
  });
}
