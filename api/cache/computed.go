package cache

import (
	"maps"
	"sync"
)

// Computed holds values that are computed at their first use. A value is computed outside of the lock: only those who
// ask for the same key wait for it. The zero value is empty and without a limit; it is safe for concurrent use.
type Computed[K comparable, V any] struct {
	Max int // number of values; when it is reached, all are dropped; 0: no limit

	mu     sync.Mutex
	values map[K]func() V
}

// Get returns the value of a key, computed by compute unless it is known. If compute panics, Get does for each caller.
func (c *Computed[K, V]) Get(key K, compute func() V) V {
	c.mu.Lock()
	value, known := c.values[key]
	if !known {
		if c.values == nil || c.Max > 0 && len(c.values) >= c.Max {
			c.values = make(map[K]func() V)
		}
		value = sync.OnceValue(compute)
		c.values[key] = value
	}
	c.mu.Unlock()
	return value()
}

// CopyFrom adds the values of another one, also those that are being computed.
func (c *Computed[K, V]) CopyFrom(from *Computed[K, V]) {
	from.mu.Lock()
	values := maps.Clone(from.values)
	from.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[K]func() V, len(values))
	}
	maps.Copy(c.values, values)
}
