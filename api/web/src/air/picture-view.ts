// The projection of a picture, and which stations have room in it.

/** A view: the position of the upper left corner of the map's box in a world of 512·2^zoom px. */
export interface View {
  zoom: number;
  left: number;
  top: number;
}

const world = 512;

/** Web Mercator in a world of a size, from the upper left corner. */
export function project([lon, lat]: readonly [number, number], size: number): [x: number, y: number] {
  const phi = (Math.min(Math.max(lat, -85.05), 85.05) * Math.PI) / 180;
  return [((lon + 180) / 360) * size, ((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * size];
}

/** The view in which bounds (west, south, east, north) fill a box as far as they fit. */
export function fitView([west, south, east, north]: readonly [number, number, number, number], box: {width: number; height: number}): View {
  const [[x0, y0], [x1, y1]] = [project([west, north], world), project([east, south], world)];
  const zoom = Math.min(16, Math.log2(Math.min(box.width / Math.max(x1 - x0, 1e-9), box.height / Math.max(y1 - y0, 1e-9))));
  const scale = 2 ** zoom;
  return {zoom, left: ((x0 + x1) / 2) * scale - box.width / 2, top: ((y0 + y1) / 2) * scale - box.height / 2};
}

/** The middle of a view, WGS84. */
export function centerOf({zoom, left, top}: View, box: {width: number; height: number}): [lon: number, lat: number] {
  const size = world * 2 ** zoom;
  const [x, y] = [(left + box.width / 2) / size, (top + box.height / 2) / size];
  return [x * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI];
}

export function place(at: readonly [number, number], {zoom, left, top}: View): [x: number, y: number] {
  const [x, y] = project(at, world * 2 ** zoom);
  return [x - left, y - top];
}

/** The tiles of 512 px that cover a box, and where they stand in it. */
export function tilesOf({zoom, left, top}: View, box: {width: number; height: number}): {z: number; x: number; y: number; left: number; top: number; size: number}[] {
  const z = Math.max(0, Math.min(14, Math.floor(zoom)));
  const size = world * 2 ** (zoom - z);
  const last = 2 ** z - 1;
  const clamp = (n: number): number => Math.min(last, Math.max(0, Math.floor(n / size)));
  const tiles = [];
  for (let y = clamp(top); y <= clamp(top + box.height); y++) for (let x = clamp(left); x <= clamp(left + box.width); x++) tiles.push({z, x, y, left: x * size - left, top: y * size - top, size});
  return tiles;
}

/** The worst stations with their numbers; others that would overlap them are small. In the order of drawing. */
export function arrange<S extends {at: readonly [number, number]; value: number}>(spots: readonly S[], view: View, box: {width: number; height: number}, radius: number): {spot: S; x: number; y: number; small: boolean}[] {
  const placed: {spot: S; x: number; y: number; small: boolean}[] = [];
  for (const spot of spots.toSorted((a, b) => b.value - a.value)) {
    const [x, y] = place(spot.at, view);
    if (x < -radius || y < -radius || x > box.width + radius || y > box.height + radius) continue;
    const small = placed.some((other) => !other.small && Math.hypot(other.x - x, other.y - y) < 2 * radius + 3);
    placed.push({spot, x, y, small});
  }
  return placed.toReversed().toSorted((a, b) => Number(b.small) - Number(a.small));
}
