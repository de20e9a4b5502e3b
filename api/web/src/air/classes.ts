import type {Answers, Scale} from '../openapi.ts';

/** The classes of a scale, from /v1/legend. */
export type Legend = Answers['/v1/legend'];
export type AirClass = Legend['classes'][number];

/** The class of a value of the published index; undefined without a legend. */
export function classOf(legend: Legend | undefined, value: number): AirClass | undefined {
  return legend?.classes.find(({to}) => to === undefined || value <= to) ?? undefined;
}

/** Text on a color of a scale, #rrggbb: nearly black, or white on a dark color. */
export function inkOn(color: string): string {
  const parts = /^#(..)(..)(..)$/.exec(color);
  if (!parts) return '#111111';
  const light = [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const c = Number.parseInt(parts[i + 1] ?? '0', 16) / 255;
    return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  return light < 0.18 ? '#ffffff' : '#111111';
}

/** Decimals of a published value on a scale. */
export function digitsOf(scale: Scale, concentration: boolean): number {
  return scale === 'WHO' || concentration ? 1 : 0;
}
