import {ApiError} from './api.ts';
import {api, clock} from './city.ts';
import {lang} from './i18n.ts';
import {recall, remember} from './memory.ts';
import {Store} from './store.ts';

// Reminders. The platform decides when they fire and tells the page; this device keeps their ids and tokens.

/** What a reminder is for; see POST /v1/reminders. */
export type Wish =
  | {kind: 'leave'; stop: string; line: string; direction?: 0 | 1; trip?: string; walk_s: number}
  | {kind: 'bus'; stop: string; line: string; direction?: 0 | 1; trip?: string; minutes: number}
  | {kind: 'get_off'; stop: string; agency: string; vehicle: string; stops: number};

/** A reminder as the device keeps it. */
export interface Kept {
  id: string;
  token: string;
  kind: Wish['kind'];
  /** What the rider reads: the line and where it goes, and the stop. */
  line: string;
  stopName: string;
  /** ms */
  expires: number;
  firesBy?: number | undefined;
  /** The notification that the rider has seen, or that is shown now. */
  fired?: string | undefined;
}

/** What the platform tells of a reminder. */
export interface Told {
  id: string;
  event: string;
  state: 'waiting' | 'fired' | 'ended';
  title: string;
  body: string;
  leave?: string;
  early?: string;
}

/** At most so many are kept, as many as a stream takes. */
const most = 20;

export const reminders = new Store<readonly Kept[]>(recall<Kept[]>('reminders', []).filter((kept) => typeof kept?.id === 'string'));

/** The notification that is shown, until the rider has read it. */
export const fired = new Store<Told | undefined>(undefined);

/** The platform has no reminders: then there are no bells. */
export const unavailable = new Store(false);

function keep(next: readonly Kept[]): void {
  remember('reminders', next);
  reminders.set(next);
}

/** Forgets what has expired. */
export function tidy(now: number): void {
  const left = reminders.get().filter(({expires}) => expires > now);
  if (left.length !== reminders.get().length) keep(left);
}

/** Sets a reminder; throws ApiError. */
export async function setReminder(wish: Wish, names: {line: string; stopName: string}): Promise<Kept> {
  let form: {form_token: string};
  try {
    form = await api.get('/v1/reminders/form');
  } catch (error) {
    if (error instanceof ApiError && error.trouble === 'not_found') unavailable.set(true);
    throw error;
  }
  const set = await api.send<{id: string; token: string; expires: string; fires_by?: string}>('POST', '/v1/reminders', {...wish, lang: lang.get(), form_token: form.form_token});
  const kept: Kept = {id: set.id, token: set.token, kind: wish.kind, ...names, expires: Date.parse(set.expires), firesBy: set.fires_by === undefined ? undefined : Date.parse(set.fires_by)};
  keep([...reminders.get(), kept].slice(-most));
  return kept;
}

/** Removes a reminder from the platform and the device. */
export async function removeReminder({id, token}: Kept): Promise<void> {
  keep(reminders.get().filter((kept) => kept.id !== id));
  try {
    await fetch(`/v1/reminders/${encodeURIComponent(id)}`, {method: 'DELETE', headers: {'Reminder-Token': token}});
  } catch {
    // it expires by itself
  }
}

/** Takes what the platform tells of a reminder; returns whether the rider has to be told. */
export function take(told: Told): boolean {
  const kept = reminders.get().find(({id}) => id === told.id);
  if (!kept) return false;
  const by = told.leave ?? told.early;
  const next: Kept = {...kept, firesBy: told.state === 'waiting' ? (by === undefined ? kept.firesBy : Date.parse(by)) : undefined, fired: told.state === 'waiting' ? undefined : told.event};
  keep(reminders.get().map((one) => (one.id === told.id ? next : one)));
  return told.state !== 'waiting' && kept.fired !== told.event;
}

/** Follows the reminders that wait; the stream is opened anew when there are others. */
export function followReminders(): void {
  let source: EventSource | undefined;
  let followed = '';
  const follow = (): void => {
    tidy(clock.now());
    const waiting = reminders.get().filter(({fired: was}) => was === undefined).map(({id, token}) => `${id}.${token}`).join();
    if (waiting === followed) return;
    followed = waiting;
    source?.close();
    source = undefined;
    if (!waiting) return;
    source = new EventSource(`/v1/reminders/events?reminders=${encodeURIComponent(waiting)}`);
    source.addEventListener('reminder', ({data}) => {
      const told = JSON.parse(String(data)) as Told;
      if (take(told)) alarm(told);
    });
    source.addEventListener('gone', ({data}) => {
      const {id} = JSON.parse(String(data)) as {id: string};
      keep(reminders.get().filter((kept) => kept.id !== id));
    });
  };
  reminders.subscribe(follow);
  follow();
}

/** Tells the rider: on the page, by the system if that was allowed, and by a buzz. */
function alarm(told: Told): void {
  fired.set(told);
  navigator.vibrate?.([200, 100, 200]);
  try {
    if (Notification.permission === 'granted') void new Notification(told.title, {body: told.body, tag: told.event});
  } catch {
    // phones show notifications by a service worker only; the page shows it anyway
  }
}
