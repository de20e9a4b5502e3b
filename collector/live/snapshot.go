package live

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/geo/track"
	"nhip/internal/damage"
	"nhip/internal/durable"
)

// A snapshot is a State on disk as JSON lines: the last journal record applied, one line for each sign-on, bus and
// station, and their number. It is written and read line by line, never held in memory as a whole.

// snapshotLine is one line of a snapshot. Only the first has Seq, and only the last has Count.
type snapshotLine struct {
	Seq      *uint64              `json:"seq,omitempty"`
	Topic    string               `json:"topic,omitempty"`
	Position []byte               `json:"position,omitempty"` // as in record.Outcome.PackedPositions
	Time     int64                `json:"time_ms,omitempty"`  // of the position, or estimated
	Arrived  int64                `json:"arrived_ms,omitempty"`
	Interval float32              `json:"interval_s,omitempty"`
	Track    *nhip.Track          `json:"track,omitempty"`
	Served   []track.RouteService `json:"served,omitempty"` // by the bus
	Station  *nhip.Station        `json:"station,omitempty"`
	SignOn   *signOn              `json:"sign_on,omitempty"` // without another state in the line

	Feed   *nhip.ServiceFeed  `json:"feed,omitempty"`
	Trip   *nhip.TripUpdate   `json:"trip,omitempty"`
	Notice *nhip.ServiceAlert `json:"notice,omitempty"`

	Count *int `json:"count,omitempty"`
}

// SavedSeq returns the last journal record that the snapshot on disk includes.
func (s *State) SavedSeq() uint64 { return s.saved.Load() }

// Save writes the snapshot. It holds the lock only to list the states, which are immutable or copied.
func (s *State) Save() error {
	seq, entries := s.list()
	err := durable.Write(s.path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		if err := e.Encode(snapshotLine{Seq: &seq}); err != nil {
			return err
		}
		for _, entry := range entries {
			line := snapshotLine{Topic: entry.topic, Station: entry.station, SignOn: entry.signOn}
			if b := entry.bus; b != nil {
				line.Position, line.Interval, line.Track = b.packed, b.interval, b.track
				line.Served = entry.served
				line.Time, line.Arrived = b.time, b.arrived
			}
			line.setService(entry.service)
			if err := e.Encode(line); err != nil {
				return err
			}
		}
		count := len(entries)
		return e.Encode(snapshotLine{Count: &count})
	})
	if err != nil {
		return fmt.Errorf("can't save the live snapshot: %w", err)
	}
	s.saved.Store(seq)
	return nil
}

// setService sets what a feed says.
func (l *snapshotLine) setService(state any) {
	switch x := state.(type) {
	case *nhip.ServiceFeed:
		l.Feed = x
	case *nhip.TripUpdate:
		l.Trip = x
	case *nhip.ServiceAlert:
		l.Notice = x
	}
}

// list returns all states and the last journal record applied.
func (s *State) list() (seq uint64, entries []entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries = make([]entry, 0, len(s.signOns)+len(s.buses)+len(s.stations))
	for topic, on := range s.signOns { // before the buses, which refer to them
		entries = append(entries, entry{topic: topic, signOn: on})
	}
	for topic, b := range s.buses {
		entries = append(entries, entry{topic: topic, bus: b, served: s.served(topic)})
	}
	for topic, st := range s.stations {
		entries = append(entries, entry{topic: topic, station: st})
	}
	services := len(entries)
	s.services.each(func(topic string, state any) { entries = append(entries, entry{topic: topic, service: state}) })
	slices.SortStableFunc(entries[services:], snapshotOrder)
	return s.seq, entries
}

// SnapshotSeq returns the last journal record that the snapshot at path includes, 0 if there is no readable one.
func SnapshotSeq(path string) uint64 {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	var first snapshotLine
	if err := json.NewDecoder(bufio.NewReader(file)).Decode(&first); err != nil || first.Seq == nil {
		return 0
	}
	return *first.Seq
}

// load reads the snapshot, if there is one. A damaged one is set aside, and the states of its valid lines stay in use:
// replay then reads all records that the journal still has, and none of them makes a state older.
func (s *State) load(damaged *damage.Log) {
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = errors.Join(s.read(bufio.NewReader(file)), file.Close())
	}
	if err != nil {
		s.seq = 0
		damaged.SetAside(s.path, fmt.Errorf("corrupt live snapshot, rebuilt from the journal: %w", err))
	}
	s.saved.Store(s.seq)
}

// read reads a snapshot line by line. It skips invalid lines and returns the first fault.
func (s *State) read(from *bufio.Reader) (fault error) {
	lines, states, counted := 0, 0, false
	note := func(err error) {
		if fault == nil && err != nil {
			fault = fmt.Errorf("line %d: %w", lines, err)
		}
	}
	for !counted {
		raw, err := from.ReadBytes('\n')
		lines++
		if err != nil {
			note(noEOF(err)) // the line with the count is missing
			return fault
		}
		var line snapshotLine
		switch err := json.Unmarshal(raw, &line); {
		case err != nil:
			note(err)
		case (lines == 1) != (line.Seq != nil):
			note(errors.New("seq must be in the first line and in no other"))
		case line.Seq != nil:
			s.seq = *line.Seq
		case line.Count != nil:
			counted = true
			if states != *line.Count {
				note(fmt.Errorf("%d states found, %d expected", states, *line.Count))
			}
		default:
			if err := s.restore(&line); err != nil {
				note(err)
				continue
			}
			states++
		}
	}
	return fault
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// restore adds the state of one line.
func (s *State) restore(line *snapshotLine) error {
	if line.Topic == "" {
		return errors.New("no topic")
	}
	if line.SignOn != nil {
		s.noteSignOn(line.Topic, line.SignOn)
		return nil
	}
	if line.Feed != nil || line.Trip != nil || line.Notice != nil {
		if !s.services.restore(line) {
			return errors.New("a trip or an alert without its feed")
		}
		return nil
	}
	if line.Station != nil {
		s.stations[line.Topic] = restoreStation(line.Station, s.clock.Now())
		return nil
	}
	var p nhip.Position
	if err := record.ReadPosition(line.Position, &p); err != nil {
		return err
	}
	b := newLastPosition(restoreStamp(p.Time, line.Time, line.Arrived, s.clock.Now()), line.Position)
	b.interval, b.signOn = line.Interval, s.signOns[line.Topic].at(b.device)
	if s.tracker != nil { // without a timetable, the track would refer to one that is not loaded
		b.track = line.Track
		s.tracker.restore(line.Topic, b, line.Served)
	}
	s.buses[line.Topic] = b
	return nil
}

// restoreStation returns a station from a snapshot. Those of older versions may have values ahead of the clock.
func restoreStation(st *nhip.Station, now time.Time) *nhip.Station {
	for q, v := range st.Values {
		if v.Time.After(now) && v.DeviceTime.IsZero() {
			setTime(&v, restoreStamp(v.Time, 0, 0, now))
			st.Values[q] = v
		}
	}
	if st.Time.After(now) {
		st.Time = newestTime(st.Values)
	}
	return st
}
