import {type StyleSpecification, validateStyleMin} from '@maplibre/maplibre-gl-style-spec';
import {describe, expect, test} from 'vitest';

import {type Air, airSources, fieldLayer, fieldSource, pastCity, pastLayers, presentLayers} from '../src/air-layers.ts';
import {networkLayers, networkSource, networkTiles, ownGround} from '../src/ground.ts';
import {overlayLayers, overlaySources, tappable} from '../src/overlay.ts';
import {dark, light, type Theme} from '../src/theme.ts';

const origin = 'http://map.example:8080';
const then: Air = {quantity: 'pm10', time: '2026-02-16T05:00:00.000Z', field: true};

describe.each([['light', light], ['dark', dark]] as [string, Theme][])('%s', (_, theme) => {
  test('our own base map with all layers is a valid style', () => {
    const ground = ownGround(theme, origin);
    const whole = {...ground, sources: {...ground.sources, ...overlaySources()}, layers: [...ground.layers, ...overlayLayers(theme)]};
    expect(validateStyleMin(whole as StyleSpecification)).toEqual([]);
  });

  test('our layers on a configured base map are valid', () => {
    const base = {version: 8, sources: {[networkSource]: networkTiles(origin), ...overlaySources()}, layers: [...networkLayers(theme, true), ...overlayLayers(theme)]};
    expect(validateStyleMin(base as StyleSpecification)).toEqual([]);
  });

  test('the layers of a past hour are valid', () => {
    for (const air of [then, {...then, time: undefined, field: false}]) {
      const ground = ownGround(theme, origin);
      const whole = {...ground, sources: {...ground.sources, ...airSources(air, origin)}, layers: [...ground.layers, fieldLayer(air), ...pastCity(theme, air)]};
      expect(validateStyleMin(whole as StyleSpecification)).toEqual([]);
    }
    expect(JSON.stringify(airSources(then, origin)[fieldSource])).toContain('@2x.png?quantity=pm10&time=2026-02-16T05%3A00%3A00.000Z');
    expect(pastCity(theme, then).map((layer) => layer.id)).toEqual([...pastLayers]);
    expect(overlayLayers(theme).map((layer) => layer.id)).toEqual(expect.arrayContaining([...presentLayers]));
  });

  test('our own base map requests nothing from other servers', () => {
    const ground = ownGround(theme, origin);
    expect(ground.glyphs).toBeUndefined();
    expect(ground.sprite).toBeUndefined();
    expect(JSON.stringify(ground).match(/https?:\/\/[^/"]+/g)).toEqual([origin]);
  });

  test('our layers on a configured base map have no labels, whose fonts it may lack', () => {
    for (const layer of [...networkLayers(theme, true), ...overlayLayers(theme)]) expect(layer.layout ?? {}).not.toHaveProperty('text-field');
  });

  test('all layers that can be tapped are drawn', () => {
    const drawn = overlayLayers(theme).map((layer) => layer.id);
    expect(drawn).toEqual(expect.arrayContaining(tappable));
  });
});
