import type {Quantity, Value} from './contract.ts';

// The color of a station shows its CONCENTRATION, in the steps at which VN_AQI (Decision 1459/QĐ-TCMT of
// 2019, table 2) changes its category. It is not the index itself, which averages over hours
// and combines pollutants.

/** Upper limits of the first five steps, µg/m³; the sixth has none. The limit belongs to its step. */
const breakpoints: Record<Quantity, readonly number[]> = {
  pm25: [25, 50, 80, 150, 250],
  pm10: [50, 150, 250, 350, 420],
  no2: [100, 200, 700, 1200, 2350],
  so2: [125, 350, 550, 800, 1600],
  co: [10_000, 30_000, 45_000, 60_000, 90_000],
  o3: [160, 200, 300, 400, 800], // 1-hour mean
};

export interface Color {
  fill: string;
  ink: string; // text on it, at least 4.5:1
}

/** One color for each step: VN_AQI's green, yellow, orange, red, purple and brown, muted. */
export const colors: readonly Color[] = [
  {fill: '#35b56a', ink: '#06210f'},
  {fill: '#f6d743', ink: '#2b2300'},
  {fill: '#f5923e', ink: '#2e1500'},
  {fill: '#d63a3a', ink: '#ffffff'},
  {fill: '#84419a', ink: '#ffffff'},
  {fill: '#6b1028', ink: '#ffffff'},
];

/** Returns the step of a concentration, 0 (lowest) to 5. */
export function stepOf(quantity: Quantity, value: number): number {
  const step = breakpoints[quantity].findIndex((end) => value <= end);
  return step < 0 ? colors.length - 1 : step;
}

export interface Range {
  from: number;
  to: number | undefined; // undefined: no limit
  color: Color;
}

/** The steps of a quantity, for the legend. */
export function ranges(quantity: Quantity): Range[] {
  const ends = breakpoints[quantity];
  return colors.map((color, i) => ({from: i ? (ends[i - 1] ?? 0) : 0, to: ends[i], color}));
}

/** Reports whether the map may show a value: not if it failed a check. */
export function showable(value: Value | undefined): value is Value {
  return value !== undefined && value.flag !== 4 && value.flag !== 9;
}
