import type {WindAnswer} from '../openapi.ts';
import type {Wind} from './air-overlay.ts';

/** The winds that can be drawn: with a place, a speed and a direction, and not in doubt. */
export function windsOf(answer: WindAnswer | undefined): Wind[] {
  return (answer?.stations ?? []).flatMap(({lat, lon, speed, direction, state, flag}): Wind[] => (
    lat === null || lon === null || speed === null || direction === null || state === 'stale' || flag === 3 ? [] : [{at: [lon, lat], speed, from: direction}]
  ));
}
