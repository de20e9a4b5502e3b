package tiles

import (
	"nhip"
	"nhip/api/cache"

	"github.com/paulmach/orb/maptile"
	"github.com/prometheus/client_golang/prometheus"
)

// tileKey identifies a tile. Tiles with the same key are identical.
type tileKey struct {
	kind     string
	at       maptile.Tile
	quantity nhip.Quantity
	scale    nhip.Scale
	version  uint64 // of the data that the tile shows
}

// maxCacheBytes is the maximum size of the cache.
const maxCacheBytes = 64 << 20

// Cache holds the most recently used tiles, up to 64 MiB. It is safe for concurrent use.
type Cache struct {
	tiles *cache.Sized[tileKey, *cachedTile]
}

// NewCache returns an empty Cache.
func NewCache() *Cache {
	return &Cache{cache.NewSized[tileKey](maxCacheBytes, (*cachedTile).cost)}
}

// get returns the tile of a key. If it is not cached, draw makes its body; compressed is passed to newCachedTile.
func (c *Cache) get(key tileKey, compressed bool, draw func() ([]byte, error)) (*cachedTile, error) {
	return c.tiles.Get(key, func() (*cachedTile, error) {
		body, err := draw()
		if err != nil {
			return nil, err
		}
		return newCachedTile(body, compressed), nil
	})
}

// Len returns the number of tiles.
func (c *Cache) Len() int { return c.tiles.Len() }

// Bytes returns the memory used by all tiles, in bytes.
func (c *Cache) Bytes() int { return c.tiles.Stats().Cost }

// Register registers the metrics of the cache.
func (c *Cache) Register(r prometheus.Registerer) {
	r.MustRegister(&cacheMetrics{
		cache: c,
		tiles: prometheus.NewDesc("nhip_api_tiles_total",
			"Requested tiles by outcome: served from the cache (kept) or drawn (made).", []string{"outcome"}, nil),
		bytes: prometheus.NewDesc("nhip_api_tile_cache_bytes", "Memory used by the cached tiles, in bytes.", nil, nil),
	})
}

// cacheMetrics exports the statistics of a Cache.
type cacheMetrics struct {
	cache        *Cache
	tiles, bytes *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (m *cacheMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.tiles
	ch <- m.bytes
}

// Collect implements prometheus.Collector.
func (m *cacheMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.cache.tiles.Stats()
	ch <- prometheus.MustNewConstMetric(m.tiles, prometheus.CounterValue, float64(s.Hits), "kept")
	ch <- prometheus.MustNewConstMetric(m.tiles, prometheus.CounterValue, float64(s.Built), "made")
	ch <- prometheus.MustNewConstMetric(m.bytes, prometheus.GaugeValue, float64(s.Cost))
}
