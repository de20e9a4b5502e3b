import {useMemo} from 'preact/hooks';

import type {WindAnswer} from '../openapi.ts';
import type {Wind} from './air-overlay.ts';
import {useAnswer} from './use-answer.ts';
import {windsOf} from './winds.ts';

/** How often the wind is asked for while it is shown, ms. */
const often = 300_000;

/** The winds now; none in the past. They are asked for only if they are shown; undefined until they are known. */
export function useWind(shown: boolean, time: string | undefined): readonly Wind[] | undefined {
  const {data} = useAnswer<WindAnswer>(shown && time === undefined ? '/v1/wind' : undefined, often);
  return useMemo(() => data && windsOf(data), [data]);
}
