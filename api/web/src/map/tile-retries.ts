/** What is needed of a map; tests replace it. */
export interface TileMap {
  refreshTiles(source: string, tiles: {x: number; y: number; z: number}[]): void;
}

/** An error event of a map whose source is of tiles. */
export interface TileError {
  readonly error?: object; // with the status of the answer, if there was one
  readonly sourceId?: string;
  readonly tile?: {readonly tileID?: {readonly canonical?: {x: number; y: number; z: number}}};
}

/** The first and the longest wait before a refused tile is asked for again, in ms, and how often it is. */
const firstWait = 2000;
const longestWait = 30_000;
const mostTries = 6;

/** Refused tiles that are remembered; the map shows far fewer. */
const mostTiles = 500;

/**
 * Asks again for tiles that the api refused because it is busy (503). The map itself never does: a hole would stay until
 * the rider moves away and back. Waits grow and differ between phones, so that they do not come back all at once.
 */
export class TileRetries {
  readonly #map: TileMap;
  readonly #later: (run: () => void, ms: number) => void;
  readonly #tries = new Map<string, number>();

  constructor(map: TileMap, later: (run: () => void, ms: number) => void = (run, ms) => void setTimeout(run, ms)) {
    this.#map = map;
    this.#later = later;
  }

  /** Reports whether the event is of a tile that will be asked for again. */
  take(event: TileError): boolean {
    const at = event.tile?.tileID?.canonical;
    const source = event.sourceId;
    if (!event.error || !('status' in event.error) || event.error.status !== 503 || !at || source === undefined) return false;
    const tile = {x: at.x, y: at.y, z: at.z};
    const key = `${source} ${tile.z}/${tile.x}/${tile.y}`;
    const tries = this.#tries.get(key) ?? 0;
    if (tries >= mostTries) return false;
    if (this.#tries.size >= mostTiles) this.#tries.clear();
    this.#tries.set(key, tries + 1);
    const wait = Math.min(firstWait * 2 ** tries, longestWait);
    this.#later(() => this.#map.refreshTiles(source, [tile]), wait * (0.75 + Math.random() / 2));
    return true;
  }
}
