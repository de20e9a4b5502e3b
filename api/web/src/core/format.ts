import {periodSeconds} from './staleness.ts';

/** Hanoi's time zone. All times are shown in it, wherever the reader is. */
export const zone = 'Asia/Ho_Chi_Minh';

const locales = {vi: 'vi-VN', en: 'en-GB'} as const;

/** Formats numbers, times and measurements in one language. */
export class Format {
  readonly #locale: string;
  readonly #clock: Intl.DateTimeFormat;
  readonly #hour: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #ago: Intl.RelativeTimeFormat;
  readonly #numbers = new Map<number, Intl.NumberFormat>();

  constructor(lang: keyof typeof locales) {
    this.#locale = locales[lang];
    const day = {hourCycle: 'h23', timeZone: zone} as const;
    this.#clock = new Intl.DateTimeFormat(this.#locale, {...day, hour: '2-digit', minute: '2-digit', second: '2-digit'});
    this.#hour = new Intl.DateTimeFormat(this.#locale, {...day, hour: '2-digit', minute: '2-digit'});
    this.#moment = new Intl.DateTimeFormat('en-GB', {timeZone: zone, day: '2-digit', month: '2-digit'}); // 17/02, as in Vietnam
    this.#day = new Intl.DateTimeFormat(this.#locale, {weekday: 'short', day: '2-digit', month: '2-digit', timeZone: zone});
    this.#ago = new Intl.RelativeTimeFormat(this.#locale, {numeric: 'always'});
  }

  /** A number with at most `digits` decimals, and no "-0". */
  number(value: number, digits = 0): string {
    let format = this.#numbers.get(digits);
    if (!format) this.#numbers.set(digits, (format = new Intl.NumberFormat(this.#locale, {maximumFractionDigits: digits, signDisplay: 'negative'})));
    return format.format(value);
  }

  /** A measured value with three significant digits, the precision of the instruments. */
  value(value: number): string {
    const size = Math.abs(value);
    return this.number(value, size >= 100 ? 0 : 1);
  }

  /** A value short enough for a circle: "7", "132", "1,2k". */
  short(value: number): string {
    const size = Math.abs(value);
    if (size < 999.5) return this.number(Math.round(value));
    return size < 9950 ? `${this.number(value / 1000, 1)}k` : `${this.number(value / 1000)}k`;
  }

  /** Hours, minutes and seconds, in Hanoi's time. */
  clock(time: number): string {
    return this.#clock.format(time);
  }

  hour(time: number): string {
    return this.#hour.format(time);
  }

  /** A day of the week, in Hanoi's time. */
  day(time: number): string {
    return this.#day.format(time);
  }

  /** Time and day, in Hanoi's time. */
  moment(time: number): string {
    return `${this.#hour.format(time)} ${this.#moment.format(time)}`;
  }

  /** "12 seconds ago", in the largest unit of which there are at least two. */
  ago(seconds: number): string {
    const [count, unit] = coarse(seconds);
    return this.#ago.format(-count, unit);
  }

  /** A duration in whole minutes. */
  minutes(seconds: number): string {
    return this.#unit(Math.round(seconds / 60), 'minute', 0);
  }

  /** An averaging period in the api's form ("1h"); unchanged if it can't be parsed. */
  period(period: string): string {
    const seconds = periodSeconds(period);
    if (seconds === undefined || seconds <= 0) return period;
    if (seconds % 3600 === 0) return this.#unit(seconds / 3600, 'hour', 0);
    return seconds % 60 === 0 ? this.#unit(seconds / 60, 'minute', 0) : this.#unit(seconds, 'second', 1);
  }

  /** A distance in metres, rounded to ten below a kilometre, the precision of GPS. */
  distance(metres: number): string {
    if (metres < 995) return this.#unit(Math.round(metres / 10) * 10, 'meter', 0, 'short');
    return this.#unit(metres / 1000, 'kilometer', 1, 'short');
  }

  /** A speed given in m/s, in km/h. */
  speed(metresPerSecond: number): string {
    return this.#unit(Math.round(metresPerSecond * 3.6), 'kilometer-per-hour', 0, 'short');
  }

  #unit(value: number, unit: string, digits: number, unitDisplay: 'long' | 'short' = 'long'): string {
    return new Intl.NumberFormat(this.#locale, {style: 'unit', unit, unitDisplay, maximumFractionDigits: digits}).format(value);
  }
}

function coarse(seconds: number): [number, 'second' | 'minute' | 'hour' | 'day'] {
  if (seconds < 120) return [Math.round(seconds), 'second'];
  if (seconds < 7200) return [Math.floor(seconds / 60), 'minute'];
  if (seconds < 172_800) return [Math.floor(seconds / 3600), 'hour'];
  return [Math.floor(seconds / 86_400), 'day'];
}
