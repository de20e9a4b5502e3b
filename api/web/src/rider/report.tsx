import {useEffect, useRef, useState} from 'preact/hooks';

import {Head, Loading, useTitle} from '../app/frame.tsx';
import {paths} from '../app/paths.ts';
import {go} from '../app/route.ts';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {frameWords} from '../app/words.ts';
import {address, ApiError, troubleOf} from '../core/api.ts';
import {api, clock} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import {recall, remember} from '../core/memory.ts';
import {usePolled} from '../core/poll.ts';
import {whereAmI} from '../core/where.ts';
import type {Open311Report, Open311Service, Stop} from '../openapi.ts';
import {reportWords} from './report-words.ts';

/** The services that riders need most come first. */
const first = ['no-bus', 'skipped-stop', 'crowding', 'safety', 'wrong-information', 'smoke'];

/** The longest description that the api takes, and how many reports are remembered. */
const longest = 4000;
const mostMine = 10;

/** The form of a report: line, bus, stop and minute are filled in from where it was opened. */
export default function Report({query}: ViewProps) {
  const {w, f, lang} = useWords(reportWords);
  const about = {line: query.get('line') ?? '', bus: query.get('bus') ?? '', stop: query.get('stop') ?? ''};
  const [time] = useState(() => clock.now());
  const [service, setService] = useState('');
  const [text, setText] = useState('');
  const [own, setOwn] = useState(false);
  const [state, setState] = useState<{kind: 'idle' | 'sending'} | {kind: 'failed'; why: string}>({kind: 'idle'});
  const services = usePolled<Open311Service[]>(address('/open311/v2/services.json', {lang}), 0).data;
  const stop = usePolled<Stop>(about.stop ? `/v1/stops/${encodeURIComponent(about.stop)}` : undefined, 0).data;
  const failed = useFailure();
  const error = useRef<HTMLParagraphElement>(null);
  useTitle(w.title);
  useEffect(() => painted.set(true), []);
  useEffect(() => {
    if (state.kind === 'failed') error.current?.focus();
  }, [state]);

  const placed = about.stop !== '' || about.bus !== '';
  const send = async (): Promise<void> => {
    if (!service) return setState({kind: 'failed', why: w.choose});
    if (!placed && !own) return setState({kind: 'failed', why: w.place});
    setState({kind: 'sending'});
    try {
      const id = await sendReport({service, text, own, time, lang, about});
      remember('reports', [id, ...recall<string[]>('reports', [])].slice(0, mostMine));
      go(paths.sent(id));
    } catch (why) {
      setState({kind: 'failed', why: typeof why === 'string' ? w.geoFailed : failed(why)});
    }
  };
  return (
    <>
      <Head title={w.title} />
      <form class="report" onSubmit={(event) => (event.preventDefault(), void send())}>
        <dl class="facts">
          {about.line ? <div><dt>{w.line}</dt><dd>{about.line}</dd></div> : null}
          {about.bus ? <div><dt>{w.bus}</dt><dd>{about.bus.split('/').at(-1)}</dd></div> : null}
          {about.stop ? <div><dt>{w.stop}</dt><dd>{stop?.name ?? about.stop}</dd></div> : null}
          <div><dt>{w.when}</dt><dd>{f.moment(time)}</dd></div>
        </dl>
        {services ? <Services services={services} chosen={service} choose={setService} /> : <Loading />}
        <label class="field">{w.text}<textarea rows={3} maxLength={longest} value={text} aria-describedby="text-hint" onInput={(event) => setText(event.currentTarget.value)} /></label>
        <p class="pad meta" id="text-hint">{w.textHint}</p>
        <label class="switch"><input type="checkbox" checked={own} aria-describedby="own-hint" onChange={(event) => setOwn(event.currentTarget.checked)} /> {w.own}</label>
        <p class="pad meta" id="own-hint">{w.ownHint}</p>
        {state.kind === 'failed' ? <p class="note warn" role="alert" tabIndex={-1} ref={error}>{state.why}</p> : null}
        <div class="buttons"><button type="submit" class="plain main" id="send" disabled={state.kind === 'sending'}>{state.kind === 'sending' ? w.sending : w.send}</button></div>
      </form>
      <Mine />
    </>
  );
}

const rank = (code: string): number => (first.includes(code) ? first.indexOf(code) : first.length);

function Services({services, chosen, choose}: {services: Open311Service[]; chosen: string; choose: (code: string) => void}) {
  const {w} = useWords(reportWords);
  const [all, setAll] = useState(false);
  return (
    <>
      {(all ? (['transport', 'environment'] as const) : [undefined]).map((group) => (
        <fieldset key={group ?? ''}>
          <legend>{group === undefined ? w.about : w[group]}</legend>
          <div class="services">
            {services.filter((one) => (group === undefined ? first.includes(one.service_code) : one.group === group)).toSorted((a, b) => rank(a.service_code) - rank(b.service_code)).map((one) => (
              <label key={one.service_code} title={one.description}>
                <input type="radio" name="service" value={one.service_code} checked={chosen === one.service_code} onChange={() => choose(one.service_code)} /><span>{one.service_name}</span>
              </label>
            ))}
            {group === undefined ? <button type="button" class="chip" onClick={() => setAll(true)}>{w.others}</button> : null}
          </div>
        </fieldset>
      ))}
    </>
  );
}

/** Sends a report; returns its number. Throws ApiError, or a text if there is no position. */
async function sendReport({service, text, own, time, lang, about}: {service: string; text: string; own: boolean; time: number; lang: 'vi' | 'en'; about: {line: string; bus: string; stop: string}}): Promise<string> {
  const here = own ? await whereAmI() : undefined;
  const {form_token} = await api.get<{form_token: string}>('/open311/v2/form');
  const attribute: Record<string, string> = {time: new Date(time).toISOString()};
  for (const key of ['line', 'bus', 'stop'] as const) if (about[key]) attribute[key] = about[key];
  if (here) attribute['own_position'] = 'yes';
  const report: Open311Report = {service_code: service, form_token, attribute, lang, ...(text.trim() ? {description: text.trim()} : {}), ...(here ? {lat: here[1], long: here[0]} : {})};
  const [answer] = await api.send<{service_request_id: string}[]>('POST', '/open311/v2/requests.json', report);
  if (!answer) throw new ApiError('internal', 'no number of the report');
  return answer.service_request_id;
}

/** Why a report was not taken, in words; what the api says of a field is shown as it is. */
function useFailure(): (error: unknown) => string {
  const {w} = useWords(frameWords);
  return (error) => {
    const trouble = troubleOf(error);
    return trouble === 'invalid' && error instanceof ApiError ? `${w.troubles.invalid} ${error.message}` : w.troubles[trouble];
  };
}

function Mine() {
  const {w} = useWords(reportWords);
  const mine = recall<string[]>('reports', []);
  if (mine.length === 0) return null;
  return (
    <>
      <h2 class="part">{w.mine}</h2>
      <ul class="list">{mine.map((id) => <li key={id}><a href={paths.sent(id)}>{w.number(id)}</a></li>)}</ul>
    </>
  );
}
