// The browser of the test, and the collection of all errors in it.

import {chromium} from 'playwright-core';

/** Starts Debian's Chromium (or $CHROMIUM) headless; WebGL 2 is rendered in software. */
export function start() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** The driver of the software renderer logs its own speed; that is not an error of the page. */
const driverLog = /GL Driver Message|GPU stall|Service Worker registration blocked by Playwright/;

/** The api refuses a tile while it is busy, and the map asks again: on a slow machine that is no fault. */
const isRefusedTile = (status, url) => status === 503 && new URL(url).pathname.startsWith('/tiles/');

/** Records every fault of a page: exceptions, logged errors, failed requests and requests to other servers. */
export function watch(page, home, faults) {
  page.on('pageerror', (error) => faults.push(`the page threw: ${error.stack}`));
  page.on('console', (message) => {
    const bad = message.type() === 'error' || message.type() === 'warning';
    const refused = /status of 503/.test(message.text()) && isRefusedTile(503, message.location().url);
    if (bad && !refused && !driverLog.test(message.text())) faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.origin !== home) faults.push(`request to another server: ${url.href}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    if (why !== 'net::ERR_ABORTED') faults.push(`request failed: ${request.url()} ${why}`); // aborted: cancelled by the page itself
  });
  page.on('response', (response) => {
    if (response.status() >= 400 && !isRefusedTile(response.status(), response.url())) faults.push(`answered ${response.status()}: ${response.url()}`);
  });
  return page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
}
