import './style.css';
import {startRoutes} from './app/route.ts';
import {startShell} from './app/shell.tsx';
import {startCity} from './core/city.ts';
import {startLanguage} from './core/i18n.ts';
import {startPlace} from './core/place.ts';
import {followReminders} from './core/reminders.ts';
import {hang} from './hook.ts';

const query = new URLSearchParams(location.search);
startLanguage(query.get('lang'));
void startPlace(query);
startRoutes();
startCity();
followReminders();
hang();
void startShell(document.getElementById('app') as HTMLElement);
addEventListener('load', () => setTimeout(() => void import('./sw/register.ts').then(({registerWorker}) => registerWorker()), 3000));
