import {useEffect, useState} from 'preact/hooks';

import {live} from '../core/city.ts';

/** Changes when the tiles of the current hour must be loaded anew: with the version of the air in the stream. */
export function useAirVersion(): string {
  const [version, setVersion] = useState('');
  useEffect(() => live.on('tiles', ({air}) => setVersion(air)), []);
  return version;
}
