import type {Scale} from '../openapi.ts';

// What the map of the air shows: one scale and one quantity at one hour, as the address says.

/** Layers between and below the stations. */
export type Ground = 'field' | 'zones' | 'none';

export interface Choice {
  scale: Scale;
  /** Undefined: the index of all quantities. */
  quantity: string | undefined;
  ground: Ground;
  stations: boolean;
  wind: boolean;
  /** RFC 3339, the end of a past hour; undefined: now. */
  time: string | undefined;
}

/** What the switch of scales offers; the first is the default. Each names itself. */
export const scales = [
  {id: 'vn', scale: 'VN_AQI', quantity: undefined},
  {id: 'us', scale: 'US_EPA', quantity: undefined},
  {id: 'who', scale: 'WHO', quantity: undefined},
  {id: 'pm25', scale: 'VN_AQI', quantity: 'pm25'},
  {id: 'pm10', scale: 'VN_AQI', quantity: 'pm10'},
  {id: 'no2', scale: 'VN_AQI', quantity: 'no2'},
  {id: 'o3', scale: 'VN_AQI', quantity: 'o3'},
] as const;

export type ScaleId = (typeof scales)[number]['id'];

const hour = 3_600_000;

/** Reads a choice of an address; what is invalid counts as missing. */
export function readChoice(query: URLSearchParams): Choice {
  const layers = (query.get('layer') ?? '').split(',');
  const found = scales.find(({scale, quantity}) => scale === (query.get('index') ?? 'VN_AQI') && quantity === (query.get('quantity') ?? undefined));
  const {scale, quantity} = found ?? scales[0];
  return {
    scale, quantity, ground: layers.includes('zones') ? 'zones' : layers.includes('none') ? 'none' : 'field',
    stations: !layers.includes('nostations'), wind: layers.includes('wind'), time: endOfHour(query.get('time')),
  };
}

/** The end of the last full hour of a time, as RFC 3339 in UTC; undefined if it is none. */
export function endOfHour(text: string | null): string | undefined {
  const time = text === null ? NaN : Date.parse(text);
  return Number.isFinite(time) ? hourText(Math.floor(time / hour) * hour) : undefined;
}

/** A full hour as the api writes it. */
export function hourText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/** The parameters of an address that a choice changes; undefined removes one. */
export function choiceQuery(choice: Choice): Record<'index' | 'quantity' | 'layer' | 'time', string | undefined> {
  const layers = [choice.ground === 'field' ? '' : choice.ground, choice.stations ? '' : 'nostations', choice.wind ? 'wind' : ''].filter(Boolean).join(',');
  return {
    index: choice.scale === 'VN_AQI' ? undefined : choice.scale, quantity: choice.quantity,
    layer: layers || undefined, time: choice.time,
  };
}

/** The parameters of requests about the air of a choice. */
export function airQuery({scale, quantity, time}: Pick<Choice, 'scale' | 'quantity' | 'time'>, withQuantity: boolean): Record<string, string | undefined> {
  return {
    index: scale === 'VN_AQI' ? undefined : scale, quantity: withQuantity ? quantity : undefined, time,
  };
}

/** The id of the choice's scale. */
export function scaleId({scale, quantity}: Pick<Choice, 'scale' | 'quantity'>): ScaleId {
  return (scales.find((s) => s.scale === scale && s.quantity === quantity) ?? scales[0]).id;
}
