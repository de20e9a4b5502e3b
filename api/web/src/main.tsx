import './style.css';
import {startRoutes} from './app/route.ts';
import {startShell} from './app/shell.tsx';
import {startCity} from './core/city.ts';
import {startLanguage} from './core/i18n.ts';

startLanguage(new URLSearchParams(location.search).get('lang'));
startRoutes();
startCity();
void startShell(document.getElementById('app') as HTMLElement);
