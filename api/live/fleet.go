package live

import (
	"context"
	"fmt"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/geo/index"
	"nhip/internal/topics"

	"github.com/cespare/xxhash/v2"
)

// History is the part of the history database that a State reads.
type History interface {
	// Fleet yields each vehicle's last position after from and not after to.
	Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error
}

// ErrHistoryAway is the error for clients while the history does not answer. Callers log the cause.
var ErrHistoryAway = nhip.Errorf(nhip.CodeUnavailable, "", "the history does not answer; the live state is available")

// Fleet is the buses of a moment. The index of a past fleet is never changed.
type Fleet struct {
	At      time.Time
	Version uint64                  // differs between different fleets
	Buses   *index.Index[*nhip.Bus] // by live topic
	Past    bool                    // whether At is in the past
	Settled bool                    // whether only late data can still change the fleet
}

// Bounds of the fleets of the past.
const (
	maxFleets     = 48               // moments in memory, about 1 MB each with 2,500 buses
	maxFleetReads = 2                // concurrent reads
	fleetStep     = 10 * time.Second // resolution of moments
	fleetWindow   = 15 * time.Minute // a bus that was silent for longer is omitted
	versionStep   = 2 * time.Second  // how long the current fleet keeps its version
)

// FleetAt returns the buses of a moment, rounded down to 10 s. The zero time and moments less than 10 s ago stand for
// now, whose index changes with the state. The error is ErrHistoryAway if the history does not answer.
func (s *State) FleetAt(ctx context.Context, at time.Time) (*Fleet, error) {
	now := s.o.Clock.Now()
	if at.IsZero() || now.Sub(at) < fleetStep {
		return &Fleet{At: now, Version: uint64(now.UnixNano()/int64(versionStep))<<1 | 1, Buses: s.buses}, nil
	}
	at = at.Truncate(fleetStep)
	return s.past.Get(ctx, at, cache.Lifetime(now.Sub(at)), func(ctx context.Context) (*Fleet, error) {
		return s.readFleet(ctx, at, now)
	})
}

// PastFleets returns how many fleets of the past are cached.
func (s *State) PastFleets() int { return s.past.Len() }

// readFleet reads the fleet of a moment from the history.
func (s *State) readFleet(ctx context.Context, at, now time.Time) (*Fleet, error) {
	f := &Fleet{At: at, Buses: index.New[*nhip.Bus](), Past: true, Settled: now.Sub(at) >= cache.SettledAge}
	digest := xxhash.New()
	err := s.o.History.Fleet(ctx, at.Add(-fleetWindow), at, func(p nhip.Position) error {
		b := s.busAt(&p)
		fmt.Fprintf(digest, "%s/%s %d %v %v %s\n", b.Agency, b.ID, b.Time.UnixMilli(), b.Lon, b.Lat, b.Line)
		return f.Buses.Set(topics.LiveBusTopic(b.Agency, b.ID), b.Point(), b)
	})
	if err != nil {
		s.o.Logger.Warn("history query failed", "query", "fleet", "error", err)
		return nil, ErrHistoryAway
	}
	f.Version = digest.Sum64()<<1 ^ uint64(at.Unix())<<1
	return f, nil
}

// busAt returns the bus of a stored position.
func (s *State) busAt(p *nhip.Position) *nhip.Bus {
	at, _ := p.Point.Get()
	b := p.Bus(at)
	s.enrichBus(b)
	return b
}
