import {recall, remember} from './memory.ts';
import {Store} from './store.ts';

/** The rider wants no motion: the system's setting, or the switch in "More". */
export const motionPaused = new Store(recall('still', false) || (typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches));

export function pauseMotion(pause: boolean): void {
  remember('still', pause);
  motionPaused.set(pause);
}
