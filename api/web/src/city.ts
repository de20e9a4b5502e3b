import type {CityClock} from './city-clock.ts';
import type {Quantity} from './contract.ts';
import type {Fleet} from './fleet.ts';
import type {Monitors} from './monitors.ts';

/** What the page knows of the city, as its views read it. */
export interface City {
  readonly clock: CityClock;
  readonly fleet: Fleet;
  readonly monitors: Monitors;
  /** What the stations are coloured by. */
  quantity: Quantity;
}
