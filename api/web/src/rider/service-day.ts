/** The service day in Hanoi at a time, so many days later: 2026-12-01. */
export function dayOf(time: number, later = 0): string {
  return new Intl.DateTimeFormat('en-CA', {timeZone: 'Asia/Ho_Chi_Minh'}).format(time + later * 86_400_000);
}

/** Departures by hour: [hour, minutes], in order. Hours beyond 24 belong to the same service day. */
export function byHour(times: readonly string[]): [string, string[]][] {
  const hours = new Map<string, string[]>();
  for (const time of times.toSorted()) {
    const [hour = '', minute = ''] = time.split(':');
    hours.set(hour, [...(hours.get(hour) ?? []), minute]);
  }
  return [...hours];
}

/** The times of a service day (HH:MM, beyond 24 for the night after) that are not before `now` (ms), as clock times. */
export function upcoming(times: readonly string[], now: number, date: string): string[] {
  const midnight = Date.parse(`${date}T00:00:00+07:00`);
  return times.toSorted().flatMap((time) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    if (midnight + (hour * 60 + minute) * 60_000 < now) return [];
    return [`${String(hour % 24).padStart(2, '0')}:${String(minute).padStart(2, '0')}`];
  });
}
