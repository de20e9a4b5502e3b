package air

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/api/cache"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"

	"github.com/cespare/xxhash/v2"
)

// Snapshot is the air of one hour. It is immutable, except that it caches fields and zones; its methods are safe for
// concurrent use.
type Snapshot struct {
	End      time.Time      // of the hour
	At       time.Time      // reference time of ages: when it was built, or End for a past hour
	Stations []nhip.Station // all that had not expired; of a past hour, those that reported
	Past     bool           // a past hour
	Settled  bool           // a past hour that only reviews and late data still change

	Version      uint64 // differs between snapshots that differ in anything
	FieldVersion uint64 // differs between snapshots whose fields differ

	observations *geoair.Observations
	interpolator *geoair.Interpolator
	stacks       geoair.Stacks
	learned      *learned // Model.learned at the time of building
	changes      uint64   // Model.changes at the time of building
	built        time.Time

	fields cache.Computed[nhip.Scale, *geoair.AQIField]
	zones  cache.Computed[nhip.Scale, *ZoneAQI]
}

func (m *Model) newSnapshot(o *geoair.Observations, at time.Time) *Snapshot {
	return &Snapshot{
		End: o.End, At: at, observations: o, interpolator: m.interpolator, built: time.Now(),
		fields: cache.Computed[nhip.Scale, *geoair.AQIField]{Max: maxScales},
	}
}

// maxScales is the maximum number of cached fields of a snapshot.
const maxScales = 2

// Field returns the field of a scale. It is interpolated at its first use.
func (s *Snapshot) Field(scale nhip.Scale) *geoair.AQIField {
	return s.fields.Get(scale, func() *geoair.AQIField {
		return s.interpolator.Interpolate(s.observations, s.stacks, scale)
	})
}

// copyFields copies the cached fields of a snapshot with the same FieldVersion.
func (s *Snapshot) copyFields(from *Snapshot) { s.fields.CopyFrom(&from.fields) }

// StationIndex returns the index of a station of the snapshot and its category; ok is false if it has none.
func (s *Snapshot) StationIndex(station *nhip.Station, scale nhip.Scale) (value float64, category nhip.AQICategory,
	ok bool,
) {
	a, _, ok := aqi.StationIndex(station, scale, s.At)
	return a.Value, a.Category, ok
}

// Reporting returns how many fixed monitors have a value in each of the last hours, at most hoursKept, the newest
// first.
func (s *Snapshot) Reporting(hours int) []int {
	out := make([]int, min(hours, hoursKept))
	for i := range s.observations.Monitors {
		for back := range out {
			for _, means := range s.observations.Monitors[i].Hours {
				if back < len(means) && !math.IsNaN(means[back]) {
					out[back]++
					break
				}
			}
		}
	}
	return out
}

// State returns nhip.StateStale if the hour ended too long before At, otherwise nhip.StateLive.
func (s *Snapshot) State() nhip.State {
	if s.At.Sub(s.End) > aqi.StationIndexStaleAfter {
		return nhip.StateStale
	}
	return nhip.StateLive
}

// digest returns a hash of all inputs of the fields.
func digest(o *geoair.Observations, stacks geoair.Stacks) uint64 {
	d := xxhash.New()
	var b []byte
	put := func(v float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }
	put(float64(o.End.Unix()))
	for i := range o.Monitors {
		x := &o.Monitors[i]
		b = append(b, x.ID...)
		put(x.Point[0])
		put(x.Point[1])
		put(float64(x.Class))
		for _, average := range aqi.Averages(nhip.ScaleVNAQI) { // no scale has other quantities
			b = append(b, average.Quantity...)
			for _, v := range x.Hours[average.Quantity] {
				put(v)
			}
		}
		_, _ = d.Write(b) // never fails
		b = b[:0]
	}
	for i := range o.Silent {
		x := &o.Silent[i]
		b = append(append(b, x.ID...), 0)
		put(x.Point[0])
		put(x.Point[1])
	}
	for i := range o.Mobile {
		x := &o.Mobile[i]
		b = append(b, x.Quantity...)
		put(float64(x.Time.UnixMilli()))
		put(x.Point[0])
		put(x.Point[1])
		put(x.Value)
	}
	for _, q := range slices.Sorted(maps.Keys(stacks)) {
		s := stacks[q]
		b = append(b, q...)
		for _, v := range append(s.Weights[:], float64(s.Count), float64(s.Last.Unix()), s.Level.Sum, s.Squares.Sum) {
			put(v)
		}
	}
	_, _ = d.Write(b) // never fails
	return d.Sum64()
}
