// The browser of the test, and the ears that hear whatever goes wrong in it.

import {chromium} from 'playwright-core';

/** Starts Debian's chromium (or $CHROMIUM) without a screen; WebGL 2 is drawn in software. */
export function start() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** The driver of the software renderer talks of its own speed; that is no fault of the page. */
const driverTalk = /GL Driver Message|GPU stall/;

/** Notes every fault of a page: what it throws, logs as an error, asks for in vain or asks of strangers. */
export function watch(page, home, faults) {
  page.on('pageerror', (error) => faults.push(`the page threw: ${error.stack}`));
  page.on('console', (message) => {
    const bad = message.type() === 'error' || message.type() === 'warning';
    if (bad && !driverTalk.test(message.text())) faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.origin !== home) faults.push(`asked a stranger: ${url.href}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    if (why !== 'net::ERR_ABORTED') faults.push(`request failed: ${request.url()} ${why}`); // aborted: called off by the page itself
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`answered ${response.status()}: ${response.url()}`);
  });
  return page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
}
