package collector

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/collector/ledger"
	"nhip/internal/influx"
	"nhip/internal/wait"
)

const (
	// markerMark is the name of the ledger mark with the last marker that the database has stored. It is on disk and must
	// not change.
	markerMark = "database"

	markerPoll   = 30 * time.Second // between two checks, by the machine's clock
	markerRetry  = 2 * time.Second  // after a check that failed, likewise
	markerEvery  = time.Hour        // between two markers, so that a bucket's retention keeps one
	markerMisses = 2                // checks in a row that don't find the marker until this counts

	// acceptAfter is how long a database without the marker is reported until it is accepted as the new one.
	acceptAfter = 7 * 24 * time.Hour
)

// MarkerStore is a database that tells whether it has a marker.
type MarkerStore interface {
	HasMarker(ctx context.Context, m influx.Marker) (bool, error)
}

// databaseMarker notices that the database is not the one that rows were stored in: that it was made anew, or replaced
// by an older copy. The collector leaves a marker in it every hour, and looks for the last one.
type databaseMarker struct {
	collector string
	markers   MarkerStore
	store     Store
	ledger    *ledger.Ledger
	clock     nhip.Clock
	log       *slog.Logger

	misses int // checks in a row
	reason atomic.Pointer[string]
}

// markerState is the JSON of markerMark.
type markerState struct {
	ID      string     `json:"id"`
	Time    time.Time  `json:"time"`
	Missing *time.Time `json:"missing,omitempty"` // when it was noticed; nil if the marker was there
}

// run checks until ctx ends.
func (d *databaseMarker) run(ctx context.Context) error {
	for {
		pause := markerPoll
		if err := d.check(ctx); err != nil || d.misses == 1 {
			pause = markerRetry
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// check looks for the last marker and leaves a new one if it is due. An error means that the database did not answer,
// which others report.
func (d *databaseMarker) check(ctx context.Context) error {
	now := d.clock.Now().UTC().Truncate(time.Millisecond)
	state, ok := d.load()
	if !ok {
		return d.leave(ctx, now)
	}
	found, err := d.markers.HasMarker(ctx, influx.Marker{Collector: d.collector, ID: state.ID, Time: state.Time})
	if err != nil {
		return err
	}
	if !found {
		return d.miss(ctx, state, now)
	}
	d.misses = 0
	if state.Missing != nil {
		d.log.Info("database has its old content again", "marker", state.Time)
		state.Missing = nil
		d.save(state)
	}
	if now.Sub(state.Time) >= markerEvery {
		return d.leave(ctx, now)
	}
	return nil
}

// miss handles a database that answers and does not have the marker.
func (d *databaseMarker) miss(ctx context.Context, state markerState, now time.Time) error {
	if d.misses++; d.misses < markerMisses && state.Missing == nil {
		return nil
	}
	if state.Missing == nil {
		state.Missing = &now
		d.save(state)
		d.log.Error("database was made anew or replaced by an older copy: it lacks a row that it had stored; "+
			"restore a backup, or see with nhip ledger --verify what is missing", "stored_at", state.Time)
	}
	if now.Sub(*state.Missing) < acceptAfter {
		d.save(state)
		return nil
	}
	d.log.Warn("database without its old content is accepted as the new one", "missing_since", *state.Missing)
	return d.leave(ctx, now)
}

// leave writes a new marker.
func (d *databaseMarker) leave(ctx context.Context, now time.Time) error {
	m := influx.Marker{Collector: d.collector, ID: rand.Text(), Time: now}
	if err := d.store.Write(ctx, influx.AppendMarker(nil, &m)); err != nil {
		return err
	}
	d.misses = 0
	d.save(markerState{ID: m.ID, Time: m.Time})
	return nil
}

func (d *databaseMarker) load() (markerState, bool) {
	var state markerState
	raw := d.ledger.Mark(markerMark)
	if raw == nil {
		return state, false
	}
	if err := json.Unmarshal(raw, &state); err != nil || state.ID == "" {
		d.log.Error("unreadable marker of the database in the ledger; a new one is written", "mark", string(raw))
		return state, false
	}
	return state, true
}

func (d *databaseMarker) save(state markerState) {
	raw, err := json.Marshal(state)
	if err != nil {
		panic("a marker can't be encoded: " + err.Error())
	}
	d.ledger.Update(func(tx *ledger.Tx) { tx.SetMark(markerMark, raw) })
	reason := ""
	if state.Missing != nil {
		reason = fmt.Sprintf("InfluxDB was made anew or replaced by an older copy: it lacks a row stored at %s",
			state.Time.Format(time.RFC3339))
	}
	d.reason.Store(&reason)
}

// fault returns why the database is not the one that rows were stored in, or "".
func (d *databaseMarker) fault() string {
	if reason := d.reason.Load(); reason != nil {
		return *reason
	}
	return ""
}
