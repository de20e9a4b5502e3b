import type {BusFeature, BusProperties, LonLat, StationFeature, Value} from '../src/contract.ts';

/** A bus as the api sends it, by default at ten o'clock UTC. */
export function bus(id: string, at: LonLat = [105.85, 21.03], properties: Partial<BusProperties> = {}): BusFeature {
  return {
    type: 'Feature',
    geometry: {type: 'Point', coordinates: at},
    properties: {id, agency: 'hanoi', line: '32', time: '2026-02-16T10:00:00Z', age_s: 1, state: 'live', stale_after_s: 90, ...properties},
  };
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
