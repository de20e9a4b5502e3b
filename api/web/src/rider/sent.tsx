import {useEffect} from 'preact/hooks';

import {Failed, Head, Loading, ShareButton, useTitle} from '../app/frame.tsx';
import {painted} from '../app/scene.ts';
import type {ViewProps} from '../app/views.ts';
import {address, troubleOf} from '../core/api.ts';
import {useWords} from '../core/i18n.ts';
import {usePolled} from '../core/poll.ts';
import type {Open311Request} from '../openapi.ts';
import NotFound from './not-found.tsx';
import {reportWords} from './report-words.ts';

/** A report: its number, whether it is open, and the answer. */
export default function Sent({params}: ViewProps) {
  const {w, f, lang} = useWords(reportWords);
  const id = params['id'] ?? '';
  const {data, error, again} = usePolled<Open311Request[]>(address(`/open311/v2/requests/${encodeURIComponent(id)}.json`, {extensions: true, lang}), 60_000);
  const report = data?.[0];
  useTitle(w.number(id));
  useEffect(() => painted.set(true), []);
  if (error && (troubleOf(error) === 'not_found' || troubleOf(error) === 'invalid')) return <NotFound />;
  const more = report?.extended_attributes;
  return (
    <>
      <Head title={w.number(id)} sub={report?.service_name} actions={<ShareButton title={w.number(id)} />} />
      {!report ? error ? <Failed error={error} retry={again} /> : <Loading /> : (
        <>
          {report.status === 'open' && !report.status_notes ? <p class="note">{w.thanks}</p> : null}
          <dl class="facts">
            <div><dt>{w.sent('')}</dt><dd>{f.moment(Date.parse(report.requested_datetime))}</dd></div>
            <div><dt>{report.status === 'open' ? '…' : '✓'}</dt><dd id="status">{w[report.status]}</dd></div>
            {more?.line ? <div><dt>{w.line}</dt><dd>{more.line}</dd></div> : null}
            {more?.stop_name ? <div><dt>{w.stop}</dt><dd>{more.stop_name}</dd></div> : null}
            <div><dt>{w.answer}</dt><dd>{report.status_notes ?? w.noAnswer}</dd></div>
          </dl>
        </>
      )}
    </>
  );
}
