import type {BusInfo, LonLat, StationFeature, Value} from '../src/core/contract.ts';
import type {Fix} from '../src/core/live.ts';

/** A bus as the stream introduces it. */
export function bus(id: string, info: Partial<BusInfo> = {}): BusInfo {
  return {id, agency: 'hanoi', line: '32', stale_after_s: 90, ...info};
}

/** A position as the stream tells it. */
export function fix([lon, lat]: LonLat = [105.85, 21.03], change: Partial<Fix> = {}): Fix {
  return {lon, lat, age: 0, bearing: null, occupancy: null, stale: false, ...change};
}

/** A station as the api sends it, by default with one hourly PM2.5 value. */
export function station(id: string, values: Record<string, Partial<Value>> = {pm25: {}}, at: LonLat | null = [105.82, 21.02]): StationFeature {
  const time = '2026-02-16T10:00:00Z';
  const whole = Object.entries(values).map(([q, v]) => [q, {value: 34, unit: 'µg/m³', time, period: '1h', state: 'live', flag: 1, ...v}]);
  return {
    type: 'Feature',
    geometry: at && {type: 'Point', coordinates: at},
    properties: {id, time, age_s: 1, state: 'live', values: Object.fromEntries(whole) as Record<string, Value>},
  };
}
