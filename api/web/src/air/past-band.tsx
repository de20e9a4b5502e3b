import {useEffect} from 'preact/hooks';

import {viewing} from '../core/city.ts';
import {useWords} from '../core/i18n.ts';
import {airWords} from './air-words.ts';
import {hourDay} from './hour-day.ts';

/** Says in the bar, instead of "live", that a past hour is shown, and leads back. */
export function PastBand({time, leave}: {time: string | undefined; leave: () => void}) {
  const {w, f, lang} = useWords(airWords);
  useEffect(() => {
    viewing.set(time === undefined ? undefined : {text: w.viewing(hourDay(f, Date.parse(time))), back: w.backToNow, leave});
  }, [time, lang]);
  useEffect(() => () => viewing.set(undefined), []);
  return null;
}
