package open311

import (
	"sync"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// A report of the same sender on the same service and bus, within repeatTime and repeatDistance of another, is the same
// report: somebody pressed the button again, or a client did not get the answer.
const (
	repeatTime     = 10 * time.Minute
	repeatDistance = 100 // m
	maxRecent      = 5_000
)

// recent is a report that was taken, or is being taken.
type recent struct {
	sender, service, bus string
	place                orb.Point
	placed               bool
	at                   time.Time
	id                   string
	kept                 bool // a collector has confirmed it
}

// repeats remembers the recent reports, the oldest first. It is safe for concurrent use.
type repeats struct {
	mu  sync.Mutex
	all []*recent
}

// find returns the recent report that one repeats, or else remembers it. The same report may be sent while the first is
// not kept yet: then it gets its id, so that it is kept once.
func (p *repeats) find(r *recent) *recent {
	p.mu.Lock()
	defer p.mu.Unlock()
	expired := 0
	for expired < len(p.all) && (r.at.Sub(p.all[expired].at) > repeatTime || len(p.all)-expired >= maxRecent) {
		expired++
	}
	p.all = p.all[expired:]
	for _, before := range p.all {
		if before.repeated(r) {
			return before
		}
	}
	p.all = append(p.all, r)
	return r
}

// repeated reports whether another report repeats r.
func (r *recent) repeated(other *recent) bool {
	return r.sender == other.sender && r.service == other.service && r.bus == other.bus && r.placed == other.placed &&
		geo.DistanceHaversine(r.place, other.place) <= repeatDistance
}

// confirm notes that a report is kept.
func (p *repeats) confirm(r *recent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.kept = true
}

// isKept reports whether a report is kept.
func (p *repeats) isKept(r *recent) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.kept
}

// newRecent returns what identifies a report of a sender.
func newRecent(sender string, r *nhip.CitizenReport) *recent {
	out := &recent{sender: sender, service: r.Service, at: r.Received, id: r.ID}
	if r.Known.Bus != nil && r.Known.Bus.Named {
		out.bus = r.Known.Bus.Agency + "/" + r.Known.Bus.ID
	}
	lat, ok := r.Lat.Get()
	lon, _ := r.Lon.Get()
	out.place, out.placed = orb.Point{lon, lat}, ok
	return out
}
