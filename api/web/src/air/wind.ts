import {useMemo} from 'preact/hooks';

import type {Wind} from './air-overlay.ts';
import {useAnswer} from './use-answer.ts';

interface WindAnswer {
  stations?: {at?: readonly [number, number]; lat?: number; lon?: number; speed_ms?: number; speed?: number; direction?: number; direction_deg?: number}[];
}

/** The winds that stations measure now; none in the past, or if nobody measures any. It asks only if they are shown. */
export function useWind(shown: boolean, time: string | undefined): readonly Wind[] {
  const {data} = useAnswer<WindAnswer>(shown && time === undefined ? '/v1/wind' : undefined, 300_000);
  return useMemo(() => (data?.stations ?? []).flatMap((s): Wind[] => {
    const [speed, from, lon, lat] = [s.speed ?? s.speed_ms, s.direction ?? s.direction_deg, s.at?.[0] ?? s.lon, s.at?.[1] ?? s.lat];
    return speed === undefined || from === undefined || lon === undefined || lat === undefined ? [] : [{at: [lon, lat], speed, from}];
  }), [data]);
}
