// Package recorded decodes recordings of messages as a collector would have done, for the comparison of estimates with
// what was measured: the positions of buses with their trips, and the hourly means of monitors.
package recorded

import (
	"errors"
	"io"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/internal/recording"
	"nhip/internal/topics"
)

// Facts calls yield with the facts of each message, decoded as a collector would have done.
func Facts(feeds []decode.Feed, paths []string, yield func(*nhip.Facts)) error {
	in, err := recording.OpenAll(paths)
	if err != nil {
		return err
	}
	defer in.Close()
	for {
		m, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range feeds {
			if !topics.Match(f.Topic, m.Topic) {
				continue
			}
			message := nhip.Message{Topic: m.Topic, Payload: m.Payload, Received: m.Time}
			decoded, err := collector.Decode(f, message, nhip.StoppedClock(m.Time), collector.AnyAge)
			if err != nil {
				return err
			}
			yield(&decoded.Facts)
			break
		}
	}
}

// Positions returns the positions that move a bus of recordings.
func Positions(feeds []decode.Feed, paths []string) ([]nhip.Position, error) {
	var all []nhip.Position
	err := Facts(feeds, paths, func(f *nhip.Facts) {
		for _, p := range f.Positions {
			if p.Moves() {
				all = append(all, p)
			}
		}
	})
	return all, err
}

// Trips are the trips that the positions of a recording name.
type Trips struct {
	of    map[positionKey]string
	named bool
}

// positionKey identifies a position in two recordings.
type positionKey struct {
	vehicle string
	time    int64
}

func keyOf(p *nhip.Position) positionKey { return positionKey{p.Vehicle, p.Time.UnixMilli()} }

// TripsOf returns the trips of positions.
func TripsOf(positions []nhip.Position) *Trips {
	t := &Trips{of: make(map[positionKey]string, len(positions))}
	for i := range positions {
		t.of[keyOf(&positions[i])] = positions[i].Trip
		t.named = t.named || positions[i].Trip != ""
	}
	return t
}

// Named reports whether any of the positions names a trip.
func (t *Trips) Named() bool { return t.named }

// Of returns the trip of a position, which may be "", and whether the recording contains the position.
func (t *Trips) Of(p *nhip.Position) (trip string, known bool) {
	trip, known = t.of[keyOf(p)]
	return trip, known
}
