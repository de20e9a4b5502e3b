// What another program reads of our tiles and styles.

import {validateStyleMin} from '@maplibre/maplibre-gl-style-spec';
import {VectorTile} from '@mapbox/vector-tile';
import Pbf from 'pbf';

import {check} from './steps.mjs';

/** Checks the tiles of a place, at three zooms, with @mapbox/vector-tile: geometry, winding and properties. */
export async function tiles(home, {lng, lat}) {
  const seen = new Set();
  for (const zoom of [8, 11, 14]) {
    const x = Math.floor(((lng + 180) / 360) * 2 ** zoom);
    const y = Math.floor((0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * 2 ** zoom);
    for (const kind of ['air', 'transit']) {
      const answer = await fetch(`${home}/tiles/${kind}/${zoom}/${x}/${y}.mvt`);
      check(answer.ok, `${kind} at zoom ${zoom} answers ${answer.status}`);
      for (const [name, layer] of Object.entries(new VectorTile(new Pbf(new Uint8Array(await answer.arrayBuffer()))).layers)) {
        seen.add(name);
        check(layer.version === 2 && layer.extent === 4096 && layer.length > 0, `${name} has version ${layer.version}, extent ${layer.extent} and ${layer.length} features`);
        for (let i = 0; i < layer.length; i++) readFeature(name, layer.feature(i), {x, y, zoom});
      }
    }
  }
  for (const name of ['isobands', 'stations', 'routes', 'outline', 'buses']) check(seen.has(name), `no tile has the layer ${name}`);
}

/** The style that others may take is a valid one, and its sources answer. */
export async function othersStyle(home) {
  for (const theme of ['light', 'dark']) {
    const style = await (await fetch(`${home}/styles/nhip.json?theme=${theme}&index=US_EPA`)).json();
    const wrong = validateStyleMin(style);
    check(wrong.length === 0, `${theme}: ${wrong.map(({message}) => message).join('; ')}`);
    for (const {url} of Object.values(style.sources)) {
      const answer = await fetch(url);
      check(answer.ok && (await answer.json()).tilejson === '3.0.0', `${url} answers ${answer.status}`);
    }
  }
}

function readFeature(name, feature, {x, y, zoom}) {
  check(feature.type >= 1 && feature.type <= 3, `a feature of ${name} has type ${feature.type}`);
  const rings = feature.loadGeometry();
  check(rings.length > 0 && rings.every((ring) => ring.every((p) => p.x >= -64 && p.x <= 4160 && p.y >= -64 && p.y <= 4160)), `a feature of ${name} leaves its tile`);
  const {geometry} = feature.toGeoJSON(x, y, zoom);
  check(geometry && geometry.coordinates.length > 0, `a feature of ${name} has no geometry`);
}
