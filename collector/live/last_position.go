package live

import (
	"bytes"
	"time"

	"nhip"
	"nhip/collector/record"
)

// lastPosition is the last known position of a bus. The position stays encoded, because a State may hold 100,000 of
// them and a third of an nhip.Bus is room for absent values. It must not be changed once it is in a State.
type lastPosition struct {
	stamp
	interval float32     // observed average time between positions, s; 0 until there are two
	packed   []byte      // as in record.Outcome.PackedPositions
	track    *nhip.Track // nil if buses are not tracked
	signOn   *signOn     // that counts for the position; nil: none
}

func newLastPosition(s stamp, packed []byte) *lastPosition {
	return &lastPosition{stamp: s, packed: bytes.Clone(packed)}
}

// position decodes the position, with the line and the trip to which the bus has signed on. Its time is that of the
// stamp.
func (l *lastPosition) position() nhip.Position {
	p := mustUnpack(l.packed)
	p.Time = time.UnixMilli(l.time).UTC()
	l.signOn.complete(&p)
	return p
}

func (l *lastPosition) expired(now time.Time) bool {
	return now.Sub(time.UnixMilli(l.time)) > nhip.BusExpiresAfter
}

// Bounds of the observed position interval, in s: a device that sends more often sends events, and one that sends
// less often was offline. The weight limits the effect of a single gap in the connection.
const (
	minInterval    = 1.0
	maxInterval    = 300.0
	intervalWeight = 0.2 // of a new observation
)

func averageInterval(before float32, gap time.Duration) float32 {
	g := float32(min(max(gap.Seconds(), minInterval), maxInterval))
	if before == 0 {
		return g
	}
	return before + intervalWeight*(g-before)
}

// bus decodes a position and adds what is known from tracking.
func (s *State) bus(l *lastPosition) *nhip.Bus {
	p := l.position()
	b := p.Bus(p.Point.Or([2]float64{}))
	if l.ahead() != 0 {
		b.DeviceTime = time.UnixMilli(l.device).UTC()
	}
	b.Interval, b.Latency = float64(l.interval), s.latencies[p.Agency].Seconds()
	enrichBus(b, l.track, s.network.Load())
	return b
}

// mustUnpack decodes a packed position that was decoded before, from the journal or the snapshot.
func mustUnpack(packed []byte) (p nhip.Position) {
	if err := record.ReadPosition(packed, &p); err != nil {
		panic("a packed position can't be decoded: " + err.Error())
	}
	return p
}
