// Package tile makes the content of our vector tiles: the air's stations, and the network that is
// the ground of the offline map. Tiles follow the Mapbox Vector Tile specification, version 2.1.
package tile

import (
	"fmt"
	"hash/fnv"

	"github.com/paulmach/orb/encoding/mvt"
)

// MaxZoom is the deepest zoom that has tiles: at 22 a pixel is 4 cm.
const MaxZoom = 22

// extent is the side of a tile in its own units, and buffer how far beyond the edge features are
// kept, so that circles and lines are whole where two tiles meet.
const (
	extent = 4096
	buffer = 64
)

// Valid reports whether there is a tile z/x/y: z from 0 to MaxZoom, x and y from 0 to 2^z-1.
func Valid(z, x, y int) bool {
	return z >= 0 && z <= MaxZoom && x >= 0 && y >= 0 && x < 1<<z && y < 1<<z
}

// FeatureID makes a stable id out of a name: FNV-1a, cut to the 53 bits that JavaScript can hold.
func FeatureID(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64() & (1<<53 - 1)
}

// encode writes the layers that hold something; nil when none does.
func encode(layers mvt.Layers) ([]byte, error) {
	var full mvt.Layers
	for _, l := range layers {
		if len(l.Features) > 0 {
			full = append(full, l)
		}
	}
	if len(full) == 0 {
		return nil, nil
	}
	data, err := mvt.Marshal(full)
	if err != nil {
		return nil, fmt.Errorf("can't encode a tile: %w", err)
	}
	return data, nil
}

// bufferInTiles is the buffer as maptile takes it.
const bufferInTiles = float64(buffer) / extent
