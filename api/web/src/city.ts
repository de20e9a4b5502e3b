import type {CityClock} from './city-clock.ts';
import type {Quantity} from './contract.ts';
import type {Fleet} from './fleet.ts';
import type {Monitors} from './monitors.ts';

/** The state of the page, as its views read it. */
export interface City {
  readonly clock: CityClock;
  readonly fleet: Fleet;
  readonly monitors: Monitors;
  /** The quantity that colors the stations. */
  quantity: Quantity;
}
