package collector

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"nhip"
	"nhip/internal/durable"
)

// A snapshot is the city on disk: a line that says how far into the journal it is, one for each state,
// and one that says how many those are. Nothing holds it in memory as a whole.

// snapshotLine is a line of it. The first has Seq, the last Count, any other a topic and a state.
type snapshotLine struct {
	Seq      *uint64       `json:"seq,omitempty"`
	Topic    string        `json:"topic,omitempty"`
	Position []byte        `json:"position,omitempty"` // as in a record of the journal
	Interval float32       `json:"interval_s,omitempty"`
	Track    *nhip.Track   `json:"track,omitempty"`
	Station  *nhip.Station `json:"station,omitempty"`
	Count    *int          `json:"count,omitempty"`
}

// save writes the snapshot. States are never changed once they are in the city, so that only the list
// of them is made under the lock.
func (c *city) save() error {
	seq, states := c.list()
	err := durable.Write(c.path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		if err := e.Encode(snapshotLine{Seq: &seq}); err != nil {
			return err
		}
		for _, s := range states {
			line := snapshotLine{Topic: s.topic, Station: s.station}
			if s.bus != nil {
				line.Position, line.Interval, line.Track = s.bus.position, s.bus.interval, s.bus.track
			}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
		count := len(states)
		return e.Encode(snapshotLine{Count: &count})
	})
	if err != nil {
		return fmt.Errorf("can't save the live snapshot: %w", err)
	}
	c.saved.Store(seq)
	return nil
}

// list returns all states and the record up to which they are.
func (c *city) list() (seq uint64, states []retained) {
	c.mu.Lock()
	defer c.mu.Unlock()
	states = make([]retained, 0, len(c.buses)+len(c.stations))
	for topic, b := range c.buses {
		states = append(states, retained{topic: topic, bus: b})
	}
	for topic, s := range c.stations {
		states = append(states, retained{topic: topic, station: s})
	}
	return c.seq, states
}

// load reads the snapshot, where there is one.
func (c *city) load() error {
	file, err := os.Open(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't read the live snapshot: %w", err)
	}
	defer file.Close()
	if err := c.read(bufio.NewReader(file)); err != nil {
		return fmt.Errorf("the live snapshot %s is damaged (remove it to rebuild from the journal): %w", c.path, err)
	}
	c.saved.Store(c.seq)
	return nil
}

// read takes a snapshot over.
func (c *city) read(from io.Reader) error {
	d := json.NewDecoder(from)
	for first := true; ; first = false {
		var line snapshotLine
		switch err := d.Decode(&line); {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF // the last line is missing
		case err != nil:
			return err
		case first != (line.Seq != nil):
			return errors.New("its first line, and no other, must have seq")
		case first:
			c.seq = *line.Seq
		case line.Count != nil:
			if n := len(c.buses) + len(c.stations); n != *line.Count {
				return fmt.Errorf("it has %d states and says %d", n, *line.Count)
			}
			return nil
		default:
			if err := c.takeOver(&line); err != nil {
				return err
			}
		}
	}
}

func (c *city) takeOver(line *snapshotLine) error {
	if line.Station != nil {
		c.stations[line.Topic] = line.Station
		return nil
	}
	var p nhip.Position
	if err := readPosition(line.Position, &p); err != nil {
		return err
	}
	b := &lastFix{time: p.Time.UnixMilli(), interval: line.Interval, position: line.Position, track: line.Track}
	if c.follow == nil {
		b.track = nil // it may be of a timetable that is gone
	} else {
		c.follow.restore(line.Topic, b)
	}
	c.buses[line.Topic] = b
	return nil
}
