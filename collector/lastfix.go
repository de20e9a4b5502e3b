package collector

import (
	"bytes"
	"time"

	"nhip"
)

// lastFix is where a bus was last, packed as in a record of the journal: a city keeps 100,000 of them, and
// a third of each nhip.Bus is room for what was not said. It is not changed once it is in the city.
type lastFix struct {
	time     int64   // of the device, Unix ms
	interval float32 // usual s between fixes, as observed; 0 before there are two
	position []byte
	track    *nhip.Track // nil where buses are not followed
}

func newLastFix(p *nhip.Position, packed []byte) *lastFix {
	return &lastFix{time: p.Time.UnixMilli(), position: bytes.Clone(packed)}
}

func (f *lastFix) gone(now time.Time) bool {
	return now.Sub(time.UnixMilli(f.time)) > nhip.BusLeavesAfter
}

// Bounds of the fix interval that is observed, in s: below the first a box sends events rather than
// fixes, beyond the second it was away. A new gap counts a fifth, so that one hole in the line
// changes little.
const (
	minInterval = 1.0
	maxInterval = 300.0
	gapWeight   = 0.2
)

func fixInterval(before float32, gap time.Duration) float32 {
	g := float32(min(max(gap.Seconds(), minInterval), maxInterval))
	if before == 0 {
		return g
	}
	return before + gapWeight*(g-before)
}

// bus unpacks a fix.
func (c *city) bus(f *lastFix) (*nhip.Bus, error) {
	var p nhip.Position
	if err := readPosition(f.position, &p); err != nil {
		return nil, err
	}
	pt := p.Point.Or([2]float64{})
	b := p.Bus(pt)
	b.Interval, b.Latency = float64(f.interval), c.latencies[p.Agency].Seconds()
	dress(b, f.track, c.network.Load())
	return b, nil
}
