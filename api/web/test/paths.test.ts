import {expect, test} from 'vitest';

import {match, paths} from '../src/app/paths.ts';

test.each([
  ['/', '/', {}],
  ['/stop/:id', '/stop/HN0505', {id: 'HN0505'}],
  ['/stop/:id', '/stop/a%2Fb%20%C3%A7', {id: 'a/b ç'}],
  ['/air/zone/:kind/:id', '/air/zone/district/ba-dinh', {kind: 'district', id: 'ba-dinh'}],
  ['/stop/:id', '/stop/', undefined],
  ['/stop/:id', '/stop/a/b', undefined],
  ['/stop/:id', '/stop/%zz', undefined],
  ['/stop/:id', '/line/32', undefined],
])('the pattern %s and the path %s give %j', (pattern, path, parts) => expect(match(pattern, path)).toEqual(parts));

test('addresses of views are escaped, and lead back to the same parts', () => {
  const id = 'a/b?c#d %';
  expect(match('/stop/:id', paths.stop(id))).toEqual({id});
  expect(match('/bus/:agency/:id', paths.bus('x/y', id))).toEqual({agency: 'x/y', id});
  expect(paths.line('32', 1)).toBe('/line/32?dir=1');
  expect(paths.report({stop: 'HN0505', bus: undefined})).toBe('/report?stop=HN0505');
});
