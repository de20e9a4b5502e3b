import {isLonLat, type LonLat} from './contract.ts';
import {recall, remember} from './memory.ts';
import {Store} from './store.ts';
import {whereAmI} from './where.ts';

// Where the rider looks for departures. It stays on the device: no address holds it, except one that they picked.

export type Around =
  | {kind: 'default'; at: LonLat}
  | {kind: 'here'; at: LonLat}
  | {kind: 'picked'; at: LonLat; name?: string}
  | {kind: 'home' | 'work'; at: LonLat};

/** Where the city is looked at if nothing is known of the rider: Hoàn Kiếm Lake. */
export const lake: LonLat = [105.8523, 21.0287];

export const around = new Store<Around>({kind: 'default', at: lake});

/** Reads LAT,LON; undefined if it is not a place. */
export function readPlace(text: string | null): LonLat | undefined {
  const parts = (text ?? '').split(',');
  const [lat = NaN, lon = NaN] = parts.map((part) => (part.trim() === '' ? NaN : Number(part)));
  return parts.length === 2 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : undefined;
}

/** LAT,LON with 11 m: enough to find a stop. */
export function writePlace([lon, lat]: LonLat): string {
  return `${lat.toFixed(4)},${lon.toFixed(4)}`;
}

/** Looks around another place, and remembers it unless an address said it. */
export function lookAround(place: Around, keep = true): void {
  around.set(place);
  if (keep) remember('around', place);
}

/** The place of an address, the last one, or here if the rider had allowed that before. Never asks. */
export async function startPlace(query: URLSearchParams): Promise<void> {
  const picked = readPlace(query.get('at'));
  if (picked) return lookAround({kind: 'picked', at: picked}, false);
  let last = recall<Around | undefined>('around', undefined);
  if (!isLonLat(last?.at)) last = undefined;
  if (last) around.set(last);
  if (last && last.kind !== 'here') return;
  try {
    const {state} = await navigator.permissions.query({name: 'geolocation'});
    if (state === 'granted') lookAround({kind: 'here', at: await whereAmI()});
  } catch {
    // no such permission, or no position: the last place stays
  }
}
