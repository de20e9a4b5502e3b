// The rider's app in a real browser with a running api: one hand in the rain, without seeing it, and as a tourist.
//
//   NHIP_URL      URL of the api (required)
//   TEST_OUTPUT   folder for screenshots; default: ../../test-output
//   CHROMIUM      the browser; default: /usr/bin/chromium
//   SUITES=full   also what takes long: a stream that falls silent, axe on every view

import {openLine} from './proxy.mjs';
import {accessible, check, desk, fits, full, get, home, large, mapFills, patience, phone, picture, policy, runAll, small, until} from './steps.mjs';
import {othersStyle, tiles} from './tiles.mjs';

const lake = {latitude: 21.0287, longitude: 105.8523};

const rows = (page) => page.locator('.deps:not(.pinned) > .dep');

async function opens(page, address = '/') {
  await page.goto(home + address);
  await page.locator('#view h1').waitFor();
}

// One hand

async function listBeforeMap(page) {
  await page.route('**/assets/maplibre*', (route) => route.abort('aborted'));
  await opens(page);
  await rows(page).nth(2).waitFor();
  check((await page.locator('.maplibregl-canvas').count()) === 0, 'the map came before the list');
  await page.unrouteAll({behavior: 'ignoreErrors'});
  await opens(page);
  await rows(page).nth(2).waitFor();
  await page.locator('.status.live').waitFor();
  check(/Hồ Gươm/.test(await page.locator('#place').innerText()), 'without a place the list is not around the lake');
}

/** What a row may say at its right, and how it is read. */
const honest = /^(\d+–\d+\s*phút|≈\s?\d+\s*phút\s*(từ \d+ đến \d+)?|≈\s?\d\d:\d\d|Đang tới|Dưới 2 phút|\d\d:\d\d\s*giờ chạy|Mất tín hiệu|Chưa có xe báo|Chuyến|\d+ phút một chuyến|Đã huỷ)/;

async function rowsAreHonest(page) {
  const said = await rows(page).evaluateAll((all) => all.map((row) => [row.querySelector('.eta').innerText, row.querySelector('.unseen').textContent]));
  check(said.length >= 3, `${said.length} rows`);
  for (const [figure, spoken] of said) {
    check(honest.test(figure), `a row says ${JSON.stringify(figure)}`);
    check(/^Tuyến .+ đi .+/.test(spoken), `a row is read as ${JSON.stringify(spoken)}`);
    check(!/Mất tín hiệu|Chưa có xe báo/.test(figure) || !/\d+–\d+/.test(figure), `minutes of a lost bus: ${figure}`);
  }
}

async function boardAndBack(page) {
  const first = rows(page).first().locator('a').first();
  const path = new URL(await first.getAttribute('href'), home).pathname;
  await first.click();
  await page.waitForURL(`**${path}*`);
  await page.locator('#board .dep').first().waitFor();
  check(await page.evaluate(() => document.activeElement?.tagName === 'H1'), 'the focus is not on the heading of the board');
  await page.goBack();
  await rows(page).nth(2).waitFor();
  check(await page.evaluate((to) => document.activeElement?.getAttribute('href')?.startsWith(to), path), 'the focus did not return to the row');
}

async function saves(page) {
  await opens(page, '/stop/HN0505');
  await page.locator('#board .dep').first().waitFor();
  await page.locator('.head-actions [aria-pressed]').click();
  await page.locator('.head-actions [aria-pressed=true]').waitFor();
  await page.click('#tabs a[href^="/saved"]');
  await page.locator('#saved .saved .next').waitFor();
  check(/Trần Quang Khải/.test(await page.locator('#saved .saved').innerText()), 'the stop is not in the list');
}

async function netIsCut(page) {
  await page.context().setOffline(true);
  await page.locator('.status.lost').waitFor();
  check(!/Trực tiếp/.test(await page.locator('#bar').innerText()), 'it says to be live without a network');
  await page.context().setOffline(false);
  await page.locator('.status.live').waitFor();
}

/** The server says nothing more, though the connection looks open. */
async function streamFallsSilent(page) {
  let silent = false;
  await page.routeWebSocket('**/v1/live*', (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => void (silent || socket.send(message)));
  });
  await opens(page);
  await page.locator('.status.live').waitFor();
  silent = true;
  const began = Date.now();
  await page.locator('.status.lost').waitFor({timeout: 60_000});
  const seconds = (Date.now() - began) / 1000;
  check(/Mất kết nối từ \d\d:\d\d/.test(await page.locator('#bar').innerText()), 'the bar does not say since when');
  check(seconds <= 45, `the silence was noticed after ${seconds} s`); // 40 s after the last event, and patience
}

async function reports(page) {
  await opens(page, '/stop/HN0505');
  await page.click('a[href^="/report"]');
  await page.locator('#send').waitFor();
  await page.click('#send');
  await page.locator('[role=alert]').waitFor();
  await page.locator('input[value="no-bus"]').check({force: true});
  await page.fill('textarea', 'Đợi hai mươi phút');
  await page.click('#send');
  await page.waitForURL('**/report/*');
  await page.locator('#status').waitFor();
  check(/Trần Quang Khải/.test(await page.locator('#view').innerText()), 'the report does not name its stop');
}

/** The platform is played, so that the reminder fires when the test wants. */
async function reminds(page) {
  const soon = new Date(Date.now() + 600_000).toISOString();
  const told = {id: 'R1', event: 'R1-1', kind: 'bus', state: 'fired', time: soon, title: 'Tuyến 24 sắp tới', body: '161 Trần Quang Khải: 4–6 phút'};
  let asked;
  await page.route('**/v1/reminders**', async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.endsWith('/form')) return route.fulfill({json: {form_token: 'x', expires: soon}});
    if (url.pathname.endsWith('/events')) return route.fulfill({contentType: 'text/event-stream', body: `event: reminder\ndata: ${JSON.stringify(told)}\n\n`});
    asked = route.request().postDataJSON();
    return route.fulfill({status: 201, json: {id: 'R1', token: 't', kind: asked.kind, state: 'waiting', created: soon, expires: soon, fires_by: soon, topic: 'x'}});
  });
  await opens(page);
  const bell = page.locator('.dep .bell button').first();
  await bell.click();
  await page.click('#set');
  await page.locator('#reminded', {hasText: 'Sẽ nhắc lúc'}).waitFor();
  check(/^(leave|bus)$/.test(asked.kind) && asked.stop && asked.line && asked.form_token === 'x', `asked for ${JSON.stringify(asked)}`);
  check(!('lat' in asked) && !JSON.stringify(asked).includes('21.02'), 'a reminder tells where the rider is');
  await page.locator('.fired', {hasText: 'Tuyến 24 sắp tới'}).waitFor();
  await page.click('.fired button');
  await page.unrouteAll({behavior: 'ignoreErrors'});
  await page.evaluate(() => localStorage.removeItem('nhip.reminders'));
}

// Without seeing it

async function keysOnly(page) {
  await opens(page);
  await rows(page).nth(2).waitFor();
  await page.keyboard.press('Tab');
  check(await page.evaluate(() => document.activeElement?.className === 'skip'), 'the first stop of Tab is not the skip link');
  await page.locator('a.find').focus();
  await page.keyboard.press('Enter');
  await page.locator('#q:focus').waitFor();
  await page.keyboard.type('giap bat');
  await page.waitForFunction(() => /q=giap.bat/.test(location.search));
  const stop = page.locator('#found a[href^="/stop/"]').first();
  await stop.waitFor();
  for (let i = 0; i < 30 && !(await stop.evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/stop/*');
  await page.locator('#board .dep').first().waitFor();
  const spoken = await page.locator('#board .dep .unseen').first().textContent();
  check(/^Tuyến \S+ đi .+/.test(spoken ?? ''), `a row is read as ${spoken}`);
  check((await page.locator('#announcer').innerText()) === '' || /đang tới/.test(await page.locator('#announcer').innerText()), 'ticks are announced');
}

/** What is saved is readable without a network, also after the page was closed: what the timetable says, and of which day. */
async function savedWithoutNetwork(page, faults) {
  const line = await openLine(home);
  try {
    await page.goto(`${line.url}/stop/HN0505`);
    await page.locator('.head-actions [aria-pressed]').click();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.goto(`${line.url}/saved`);
    await page.locator('#saved .next').first().waitFor();
    await page.waitForFunction(async () => {
      const kept = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({url}) => url)));
      return kept.flat().some((url) => url.includes('/timetable')) && kept.flat().some((url) => url.includes('/assets/'));
    }, null, {timeout: patience, polling: 500});
    line.cut();
    await (await page.context().newCDPSession(page)).send('Network.clearBrowserCache'); // which holds fresh predictions
    await page.reload();
    await page.locator('#saved .usual', {hasText: 'Thường có lúc'}).waitFor();
    check(/\d\d:\d\d.*\d\d\/\d\d/s.test(await page.locator('#saved .usual').innerText()), 'no date stands with the times');
    check(!/Trực tiếp/.test(await page.locator('#bar').innerText()), 'it says to be live without a network');
    await page.goto('about:blank');
    faults.length = 0; // the line is another server, and requests failed on purpose
  } finally {
    await line.close();
  }
}

// As a tourist

async function inEnglish(page) {
  await opens(page, '/?lang=en');
  await rows(page).nth(2).waitFor();
  check((await page.locator('html').getAttribute('lang')) === 'en', 'the address does not set the language');
  check(/Around Hoàn Kiếm Lake/.test(await page.locator('#place').innerText()), 'the texts are not English');
  await page.click('a.find');
  await page.fill('#q', '32');
  await page.locator('#found a[href="/line/32"]').click();
  await page.locator('.column li').nth(10).waitFor();
  await page.locator('.column a[href^="/bus/"]').first().click();
  await page.locator('.facts').waitFor();
  await page.goBack();
  await page.locator('.column li').nth(10).waitFor();
}

async function tapOnMap(page) {
  await until('an estimate of the air', async () => (await get('/v1/air?at=21.0287,105.8523')).aqi);
  await opens(page, '/?lang=en');
  await mapFills(page);
  const box = await page.locator('#map').boundingBox();
  const spot = await page.evaluate(() => {
    const {map} = globalThis.nhip;
    const {clientWidth: w, clientHeight: h} = map.getContainer();
    for (let i = 0; i < 400; i++) {
      const [x, y] = [40 + Math.random() * (w - 150), 10 + Math.random() * (h - 50)];
      const layers = ['nhip-bus', 'nhip-bus-few', 'nhip-bus-dot', 'nhip-stops', 'nhip-shape-stops', 'nhip-stop-names'].filter((id) => map.getLayer(id));
      if (map.queryRenderedFeatures([[x - 30, y - 30], [x + 30, y + 30]], {layers}).length === 0) return {x, y};
    }
    return undefined;
  });
  check(spot, 'there is no bare spot on the map');
  await page.mouse.click(box.x + spot.x, box.y + spot.y);
  await page.waitForURL('**/air/at/*');
  await page.locator('.aqi-class').waitFor();
  check(/Good|Moderate|Poor|Bad|Hazardous/.test(await page.locator('.aqi-class').innerText()), 'no class is named');
  check((await page.locator('.advice dt').count()) === 2, 'there is no advice for everyone and the sensitive');
  const [address, value] = [page.url(), await page.locator('.aqi-class').innerText()];
  await page.goto(address);
  await page.locator('.aqi-class').waitFor();
  check((await page.locator('.aqi-class').innerText()) === value, 'a shared address shows something else');
}

async function hostileNames(page) {
  const name = '<img src=x onerror="globalThis.harmed=1"><script>globalThis.harmed=1</script>';
  await page.route('**/v1/stops/HN0505', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({response: answer, json: {...(await answer.json()), name}});
  });
  await opens(page); // within the app, so that the name comes by a request
  await page.evaluate(() => {
    const link = document.body.appendChild(Object.assign(document.createElement('a'), {href: '/stop/HN0505'}));
    link.click();
    link.remove();
  });
  await page.locator('h1', {hasText: 'onerror'}).waitFor();
  check((await page.evaluate(() => globalThis.harmed)) === undefined, 'a name was run');
  await page.unrouteAll({behavior: 'ignoreErrors'});
}

async function unknown(page, faults) {
  await opens(page, '/stop/nowhere');
  await page.locator('#not-found').waitFor();
  check((await page.locator('a.find').count()) === 1, 'there is no search');
  for (let i = faults.length - 1; i >= 0; i--) if (/404|nowhere/.test(faults[i])) faults.splice(i, 1); // asked for on purpose
}

async function tapBus(page) {
  await opens(page);
  await mapFills(page);
  const end = Date.now() + patience;
  for (;;) {
    const spot = await page.evaluate(() => {
      const {map} = globalThis.nhip;
      const spots = map.queryRenderedFeatures({layers: ['nhip-bus', 'nhip-bus-few', 'nhip-bus-dot']}).map((f) => map.project(f.geometry.coordinates));
      const {left, top} = map.getContainer().getBoundingClientRect();
      const free = spots.map(({x, y}) => ({x: x + left, y: y + top})).filter(({x, y}) => document.elementFromPoint(x, y) === map.getCanvas());
      return free[Math.floor(Math.random() * free.length)]; // another one each time: one may lie under others
    });
    if (spot) {
      await page.mouse.click(spot.x, spot.y);
      if (await page.locator('.chooser button').first().isVisible()) await page.locator('.chooser button').first().click();
      if (await page.waitForURL('**/bus/**', {timeout: 3000}).then(() => true, () => false)) break;
      if (!page.url().endsWith('/')) await opens(page).then(() => mapFills(page));
    }
    check(Date.now() < end, 'no bus could be tapped');
  }
  await page.locator('.facts, #not-found').first().waitFor();
}

/** The minimum share of buses that must have moved, and by how many degrees (about 5 m). */
const movers = 0.2;
const aMove = 0.00005;

async function busesMove(page) {
  await opens(page, '/line/32');
  await mapFills(page);
  const before = await page.evaluate(() => globalThis.nhip.buses());
  await page.waitForFunction(([old, share, far]) => {
    const now = new Map(globalThis.nhip.buses().map((bus) => [bus.id, bus]));
    const moved = old.filter(({id, lon, lat}) => {
      const bus = now.get(id);
      return bus && Math.abs(bus.lon - lon) + Math.abs(bus.lat - lat) > far;
    });
    return moved.length >= Math.max(1, share * old.length);
  }, [before, movers, aMove], {timeout: patience, polling: 250});
}

async function hereIsWhereIAm(page) {
  await page.context().grantPermissions(['geolocation']);
  await page.context().setGeolocation(lake);
  await opens(page);
  await page.click('#use-here');
  await page.locator('#place', {hasText: 'Quanh đây'}).waitFor();
  await rows(page).first().waitFor();
  check(!/2[01]\.\d{3}/.test(page.url()), `the address tells where the rider is: ${page.url()}`);
  await page.context().setGeolocation({latitude: 10.78, longitude: 106.7});
  await page.click('#use-here');
  await page.locator('#outside').waitFor();
  check((await rows(page).count()) === 0, 'buses 1,137 km away are offered');
  await page.locator('#view button', {hasText: 'Hồ Gươm'}).last().click();
  await rows(page).first().waitFor();
  await opens(page);
  await page.locator('#place', {hasText: 'Hồ Gươm'}).waitFor(); // their choice outlasts the page
}

async function languageIsKept(page) {
  await opens(page);
  await page.click('#speak-en');
  await page.locator('#tabs', {hasText: 'Saved'}).waitFor();
  await opens(page);
  check((await page.locator('html').getAttribute('lang')) === 'en', 'the language was forgotten');
  await page.click('#speak-vi');
  await page.locator('#tabs', {hasText: 'Đã lưu'}).waitFor();
}

async function everyViewAccessible(page) {
  for (const address of ['/stop/HN0505', '/line/32', '/search?q=32', '/saved', '/report?stop=HN0505', '/more', '/air/at/21.03,105.85']) {
    await opens(page, address);
    await page.waitForFunction(() => !document.querySelector('.loading'));
    await accessible(page).catch((error) => check(false, `${address}: ${error.message}`));
    await fits(page).catch((error) => check(false, `${address}: ${error.message}`));
  }
}

const place = (page) => page.evaluate(() => globalThis.nhip.map.getCenter());
const long = (steps) => (full ? steps : []);

await runAll([
  ['one hand', {...small, colorScheme: 'dark', serviceWorkers: 'block'}, [
    ['three rows stand before the map', listBeforeMap],
    ['rows say only what is known', rowsAreHonest],
    ['nothing is cut off', fits],
    ['everything is large enough to tap', large],
    ['a row leads to its board, and back', boardAndBack],
    ['the map fills with buses', async (page) => (await opens(page), mapFills(page))],
    ['a picture in the dark', picture('home-small-dark')],
    ['a reminder is set in two taps, and fires', reminds],
    ['a stop is saved', saves],
    ['a network that is cut is told', netIsCut],
    ['a report is sent with its stop', reports],
    ...long([['a stream that falls silent is told', streamFallsSilent]]),
    ['the policy was kept', policy],
  ]],
  ['unseen', {...phone, reducedMotion: 'reduce'}, [
    ['by keys from the search to a board', keysOnly],
    ['a board has no fault of accessibility', accessible],
    ['nor has the first list', async (page) => (await opens(page), await rows(page).nth(2).waitFor(), accessible(page))],
    ...long([['nor has any view', everyViewAccessible]]),
    ['a picture of the list', picture('home')],
    ['what is saved is there without a network', savedWithoutNetwork],
  ]],
  ['tourist', {...desk, reducedMotion: 'reduce', serviceWorkers: 'block'}, [
    ['finds a line and one of its buses', inEnglish],
    ['taps the map to know the air', tapOnMap],
    ['is not harmed by a name', hostileNames],
    ['is told what is not there', unknown],
    ['goes where they are, and nowhere else', hereIsWhereIAm],
    ['the language is kept', languageIsKept],
    ['a bus is tapped', tapBus],
    ['buses move', busesMove],
    ['a picture of the desk', picture('line-wide')],
    ['another program reads our tiles', async (page) => tiles(home, await place(page))],
    ['the style that others may take is valid', () => othersStyle(home)],
    ['the policy was kept', policy],
  ]],
]);
