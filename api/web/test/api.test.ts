import {describe, expect, test} from 'vitest';

import {Api, ApiError, troubleOf} from '../src/api.ts';

/** An api with this answer to the next request. */
function answering(answer: Response | Error): {api: Api; asked: string[]} {
  const asked: string[] = [];
  const api = new Api((input) => {
    asked.push(String(input));
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return {api, asked};
}

test('near is sent as latitude, longitude', async () => {
  const {api, asked} = answering(Response.json({features: []}));
  await api.near([105.8542, 21.0285], 10);
  expect(asked).toEqual(['/v1/buses?near=21.028500%2C105.854200&limit=10']);
});

test('station ids are escaped in paths', async () => {
  const {api, asked} = answering(Response.json({readings: []}));
  await api.readings('a/b ç', 'pm25', new Date('2026-02-16T10:00:00Z'));
  expect(asked).toEqual(['/v1/stations/a%2Fb%20%C3%A7/readings?quantity=pm25&to=2026-02-16T10%3A00%3A00.000Z']);
});

describe('a failed request', () => {
  test.each([
    [400, 'invalid'],
    [404, 'not_found'],
    [429, 'unavailable'],
    [500, 'internal'],
    [502, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('with status %d is %s and says why', async (status, trouble) => {
    const {api} = answering(Response.json({detail: 'limit: too many'}, {status}));
    await expect(api.map()).rejects.toMatchObject({name: 'ApiError', trouble, message: 'limit: too many'});
  });

  test('without problem details has a code from its status', async () => {
    const {api} = answering(new Response('<h1>Bad gateway</h1>', {status: 502}));
    await expect(api.map()).rejects.toMatchObject({trouble: 'unavailable', message: 'HTTP 502'});
  });

  test('without a server is offline', async () => {
    const {api} = answering(new TypeError('fetch failed'));
    await expect(api.map()).rejects.toMatchObject({trouble: 'offline'});
  });

  test('with invalid JSON is internal', async () => {
    const {api} = answering(new Response('hello'));
    await expect(api.map()).rejects.toMatchObject({trouble: 'internal'});
  });

  test('that was aborted is not an ApiError', async () => {
    const off = new AbortController();
    off.abort();
    const {api} = answering(new TypeError('aborted'));
    await expect(api.map(off.signal)).rejects.not.toBeInstanceOf(ApiError);
  });
});

test('any other exception is internal', () => {
  expect(troubleOf(new RangeError('x'))).toBe('internal');
  expect(troubleOf(new ApiError('offline', ''))).toBe('offline');
});
