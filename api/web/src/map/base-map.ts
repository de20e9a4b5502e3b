import {addProtocol} from 'maplibre-gl';
import type {LayerSpecification, SourceSpecification} from 'maplibre-gl';
import {PMTiles, Protocol, TileType} from 'pmtiles';

import type {Theme} from './theme.ts';

const baseSource = 'nhip-base';

/** A base map in one file: its source and its layers. */
export interface BaseMap {
  sources: Record<string, SourceSpecification>;
  layers(theme: Theme): LayerSpecification[];
}

/** Opens the file that the api serves; throws if it can't be read. */
export async function openBaseMap(path: string): Promise<BaseMap> {
  const url = new URL(path, location.href).href;
  const file = new PMTiles(url);
  const protocol = new Protocol();
  protocol.add(file);
  addProtocol('pmtiles', protocol.tile);
  const {tileType, maxZoom} = await file.getHeader();
  const from = {url: `pmtiles://${url}`, attribution: attribution(await file.getMetadata())};
  if (tileType !== TileType.Mvt) {
    return {
      sources: {[baseSource]: {type: 'raster', ...from, tileSize: 256, maxzoom: maxZoom}},
      layers: () => [{id: 'nhip-base', type: 'raster', source: baseSource}],
    };
  }
  return {sources: {[baseSource]: {type: 'vector', ...from}}, layers: vectorLayers};
}

function attribution(metadata: unknown): string {
  const said = (metadata as {attribution?: unknown} | undefined)?.attribution;
  return typeof said === 'string' ? said : '';
}

const of = (layer: string) => ({source: baseSource, 'source-layer': layer}) as const;

const fill = (layer: string, color: string, opacity = 1): LayerSpecification => ({
  ...of(layer), id: `nhip-base-${layer}`, type: 'fill', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': color, 'fill-opacity': opacity},
});

const line = (layer: string, color: string, width: number): LayerSpecification => ({
  ...of(layer), id: `nhip-base-${layer}`, type: 'line', filter: ['==', ['geometry-type'], 'LineString'],
  paint: {'line-color': color, 'line-width': ['interpolate', ['linear'], ['zoom'], 8, width / 3, 16, width * 2]},
});

/** The layers of a Protomaps base map that a plain background needs; with another schema, those with the same names. */
function vectorLayers(theme: Theme): LayerSpecification[] {
  return [
    fill('earth', theme.land), fill('landuse', theme.shore, 0.3), fill('water', theme.ground),
    line('roads', theme.road, 1.2), fill('buildings', theme.shore, 0.5), line('boundaries', theme.shore, 1),
  ];
}
