import type {LonLat} from './contract.ts';

/** Why the browser returned no location. */
export type NoPlace = 'geoDenied' | 'geoFailed' | 'geoTimeout' | 'geoInsecure';

/** How long to wait for a location, ms. It is asked for by riders who want to know where they are now: not an old one. */
const patience = 15_000;

/** Requests the location from the browser; rejects with a NoPlace. */
export function whereAmI(): Promise<LonLat> {
  return new Promise((resolve, reject: (why: NoPlace) => void) => {
    if (!window.isSecureContext) return reject('geoInsecure');
    if (!('geolocation' in navigator)) return reject('geoFailed');
    navigator.geolocation.getCurrentPosition(
      ({coords}) => resolve([coords.longitude, coords.latitude]),
      ({code}) => reject(code === 1 ? 'geoDenied' : code === 3 ? 'geoTimeout' : 'geoFailed'),
      {enableHighAccuracy: true, timeout: patience, maximumAge: 0},
    );
  });
}
