import {describe, expect, test} from 'vitest';

import {address, Api, ApiError, troubleOf} from '../src/core/api.ts';

/** An api with this answer to the next request. */
function answering(answer: Response | Error): {api: Api} {
  const api = new Api(() => {
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return {api};
}

test('addresses leave out what is not asked for', () => {
  expect(address('/v1/departures', {near: '21.03,105.85', limit: 3, minutes: undefined})).toBe('/v1/departures?near=21.03,105.85&limit=3');
  expect(address('/v1/map')).toBe('/v1/map');
});

test('what the server wrote into the page is used once', async () => {
  const seeded = new Api(() => Promise.resolve(Response.json({from: 'server'})), new Map([['/v1/map', {from: 'page'}]]));
  expect(seeded.seed('/v1/map')).toEqual({from: 'page'});
  expect(seeded.seed('/v1/map')).toBeUndefined();
  expect(await seeded.get('/v1/map')).toEqual({from: 'server'});
});

describe('a failed request', () => {
  test.each([
    [400, 'invalid'],
    [404, 'not_found'],
    [429, 'limited'],
    [500, 'internal'],
    [502, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('with status %d is %s and says why', async (status, trouble) => {
    const {api} = answering(Response.json({detail: 'limit: too many'}, {status}));
    await expect(api.get('/v1/map')).rejects.toMatchObject({name: 'ApiError', trouble, message: 'limit: too many'});
  });

  test('without problem details has a code from its status', async () => {
    const {api} = answering(new Response('<h1>Bad gateway</h1>', {status: 502}));
    await expect(api.get('/v1/map')).rejects.toMatchObject({trouble: 'unavailable', message: 'the api answered 502'});
  });

  test('without a server is offline', async () => {
    const {api} = answering(new TypeError('fetch failed'));
    await expect(api.get('/v1/map')).rejects.toMatchObject({trouble: 'offline'});
  });

  test('with invalid JSON is internal', async () => {
    const {api} = answering(new Response('hello'));
    await expect(api.get('/v1/map')).rejects.toMatchObject({trouble: 'internal'});
  });

  test('that was aborted is not an ApiError', async () => {
    const off = new AbortController();
    off.abort();
    const {api} = answering(new TypeError('aborted'));
    await expect(api.get('/v1/map', off.signal)).rejects.not.toBeInstanceOf(ApiError);
  });
});

test('says how long to wait', async () => {
  const {api} = answering(Response.json({detail: 'busy'}, {status: 503, headers: {'Retry-After': '7'}}));
  await expect(api.get('/v1/map')).rejects.toMatchObject({retryAfter: 7});
});

test('any other exception is internal', () => {
  expect(troubleOf(new RangeError('x'))).toBe('internal');
  expect(troubleOf(new ApiError('offline', ''))).toBe('offline');
});
