import {type StyleSpecification, validateStyleMin} from '@maplibre/maplibre-gl-style-spec';
import {describe, expect, test} from 'vitest';

import {busLayers} from '../src/map/bus-overlay.ts';
import {networkLayers, networkSource, networkTiles, ownGround} from '../src/map/ground.ts';
import {dark, light, type Theme} from '../src/map/theme.ts';

const origin = 'http://map.example:8080';

describe.each([['light', light], ['dark', dark]] as [string, Theme][])('%s', (_, theme) => {
  const overlay = {sources: {'nhip-buses': {type: 'geojson', data: {type: 'FeatureCollection', features: []}}}, layers: busLayers(theme)} as const;

  test('our own base map with all layers is a valid style', () => {
    const ground = ownGround(theme, origin);
    const whole = {...ground, sources: {...ground.sources, ...overlay.sources}, layers: [...ground.layers, ...overlay.layers]};
    expect(validateStyleMin(whole as unknown as StyleSpecification)).toEqual([]);
  });

  test('our layers on a configured base map are valid', () => {
    const base = {version: 8, sources: {[networkSource]: networkTiles(origin), ...overlay.sources}, layers: [...networkLayers(theme, true), ...overlay.layers]};
    expect(validateStyleMin(base as unknown as StyleSpecification)).toEqual([]);
  });

  test('our own base map requests nothing from other servers', () => {
    const ground = ownGround(theme, origin);
    expect(ground.glyphs).toBeUndefined();
    expect(ground.sprite).toBeUndefined();
    expect(JSON.stringify(ground).match(/https?:\/\/[^/"]+/g)).toEqual([origin]);
  });
});
