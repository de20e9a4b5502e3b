package live

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/internal/damage"
	"nhip/internal/durable"
	"nhip/internal/fleet"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// privacyRetry is the pause after a failure to save the private stations.
const privacyRetry = time.Second

// privacy says of which stations the position is private. Only an entry of the fleet that says "public" ends privacy:
// an entry that vanishes, a fleet file that can't be read, and a restart do not.
type privacy struct {
	path    string // of a privacyFile
	unknown bool   // a station that no fleet has ever named is private
	log     *slog.Logger
	changed chan struct{} // receives when private must be saved

	mu      sync.Mutex
	named   map[string]bool // stations in the fleet, and whether they are private
	private map[string]bool // ids of stations whose last entry was private
	damaged bool            // an earlier list was damaged
}

// privacyFile is the list of private stations on disk.
type privacyFile struct {
	Private []string `json:"private"`

	// Damaged means that an earlier list was damaged: which stations were private is unknown, so each may be that the
	// fleet does not name.
	Damaged bool `json:"damaged,omitempty"`
}

// openPrivacy reads the private stations. If their file is damaged, every station is private that the fleet does not
// name.
func openPrivacy(path string, unknown bool, damaged *damage.Log, log *slog.Logger) *privacy {
	p := &privacy{
		path: path, unknown: unknown, log: log, changed: make(chan struct{}, 1), named: make(map[string]bool),
		private: make(map[string]bool),
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p
	}
	var saved privacyFile
	if err == nil {
		err = json.Unmarshal(raw, &saved)
	}
	if err != nil {
		damaged.SetAside(path, err)
		saved.Damaged = true
		p.changed <- struct{}{}
	}
	if p.damaged = saved.Damaged; p.damaged {
		log.Error("a list of private stations was damaged; stations that are not in the fleet are private", "file", path)
	}
	for _, id := range saved.Private {
		p.private[id] = true
	}
	return p
}

// of reports whether the position of a station is private.
func (p *privacy) of(station string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if private, named := p.named[station]; named {
		return private
	}
	return p.private[station] || p.unknown || p.damaged
}

// update applies the fleet's entry of a station; nil if it was removed. It reports whether the station's privacy may
// have changed.
func (p *privacy) update(station string, entry *fleet.Station) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, was := p.named[station]
	if entry == nil {
		delete(p.named, station)
		return was
	}
	private := entry.Position == fleet.Private
	p.named[station] = private
	if p.private[station] != private {
		if p.private[station] = private; !private {
			delete(p.private, station)
		}
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
	return !was || before != private
}

// run saves the private stations after each change until ctx ends, and then once more.
func (p *privacy) run(ctx context.Context) error {
	for {
		select {
		case <-p.changed:
		case <-ctx.Done():
			return errors.Join(p.save(), ctx.Err())
		}
		for err := p.save(); err != nil; err = p.save() {
			p.log.Error("can't save the list of private stations; retrying", "error", err)
			if wait.Sleep(ctx, privacyRetry) != nil {
				break
			}
		}
	}
}

func (p *privacy) save() error {
	p.mu.Lock()
	list := privacyFile{slices.Sorted(maps.Keys(p.private)), p.damaged}
	p.mu.Unlock()
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return durable.WriteFile(p.path, raw)
}

// UpdateFleetStation applies a retained message of the fleet about a station. An empty payload means that the station
// was removed; an undecodable one is ignored.
func (s *State) UpdateFleetStation(station string, payload []byte) {
	var entry *fleet.Station
	if len(payload) > 0 {
		entry = new(fleet.Station)
		if json.Unmarshal(payload, entry) != nil {
			return
		}
	}
	if !s.privacy.update(station, entry) {
		return
	}
	topic := topics.LiveAirTopic(station)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stations[topic] != nil {
		s.dirty[topic] = true
		s.signal()
	}
}

// RunPrivacy keeps the list of private stations on disk until ctx ends.
func (s *State) RunPrivacy(ctx context.Context) error { return s.privacy.run(ctx) }

// published returns a station as others may see it: without its position if that is private.
func (s *State) published(st *nhip.Station) *nhip.Station {
	if !s.privacy.of(st.ID) {
		return st
	}
	hidden := *st
	hidden.Lat, hidden.Lon, hidden.Private = nhip.Opt[float64]{}, nhip.Opt[float64]{}, true
	return &hidden
}
