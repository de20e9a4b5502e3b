import type {LonLat} from '../core/contract.ts';
import {address} from '../core/api.ts';
import {useSlowNow} from '../core/city.ts';
import {usePolled} from '../core/poll.ts';
import {type Saved, saved, savedKey} from '../core/saved.ts';
import {useStore} from '../core/store.ts';
import {paths} from '../app/paths.ts';
import {metres} from '../map/glide.ts';
import type {Arrivals} from '../openapi.ts';
import {choose, freshness} from './eta.ts';
import {DepartureRow} from './row.tsx';

/** Saved lines whose stop is near stand above all others; so far and so many. Metres. */
const reach = 1500;
const most = 2;

/** Pedestrians walk 1.2 m/s along the streets, which are longer than the straight line by a quarter. */
const walkSpeed = 1.2 / 1.25;

/** The rider's own lines at stops around the place. */
export function Pinned({near}: {near: LonLat}) {
  const all = useStore(saved);
  const own = all.filter((item) => item.line && metres(item.at, near) < reach).slice(0, most);
  if (own.length === 0) return null;
  return <ul class="list deps pinned">{own.map((item) => <PinnedRow key={savedKey(item)} item={item} near={near} />)}</ul>;
}

function PinnedRow({item, near}: {item: Saved; near: LonLat}) {
  const now = useSlowNow();
  const {line} = item;
  const {data} = usePolled<Arrivals>(line && address(`/v1/stops/${encodeURIComponent(item.stop)}/arrivals`, {routes: line.route, direction: line.direction, limit: 3}), 20_000);
  if (!data || !line) return null;
  const walk = metres(item.at, near) / walkSpeed;
  const choice = choose(data.arrivals, walk, now);
  if (!choice) return null;
  return <DepartureRow d={choice.large} later={choice.later} headsign={choice.large.headsign} now={now} fresh={freshness(Date.parse(data.time), now)} walk={walk} stop={item.name} href={`${paths.stop(item.stop)}?line=${encodeURIComponent(line.route)}`} />;
}
