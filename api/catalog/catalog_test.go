package catalog

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/scope"
	"nhip/internal/fleet"
	"nhip/internal/topics"
)

var noon = livetest.Noon

// history is a history in memory.
type history struct {
	spans  []nhip.StationSpan
	err    error
	listed atomic.Int64
	read   atomic.Int64
}

func (h *history) Stations(context.Context) ([]string, error) {
	h.listed.Add(1)
	var ids []string
	for _, s := range h.spans {
		ids = append(ids, s.Station)
	}
	return ids, h.err
}

func (h *history) StationSpans(_ context.Context, yield func(nhip.StationSpan) error) error {
	h.read.Add(1)
	for _, s := range h.spans {
		if err := yield(s); err != nil {
			return err
		}
	}
	return h.err
}

func (h *history) AgencySpans(_ context.Context, measurement string, yield func(nhip.AgencySpan) error) error {
	h.read.Add(1)
	if measurement != "arrival" {
		return h.err
	}
	return errors.Join(yield(nhip.AgencySpan{Agency: "hanoi", First: noon.Add(-time.Hour), Last: noon}),
		yield(nhip.AgencySpan{Agency: "metro", First: noon.Add(-2 * time.Hour), Last: noon.Add(-time.Minute)}), h.err)
}

// TestBusSpansAreCached asks for those of all agencies, of one, and of one that has none.
func TestBusSpansAreCached(t *testing.T) {
	h := new(history)
	c := newCatalog(t, h)
	for agency, want := range map[string]Span{
		"": {noon.Add(-2 * time.Hour), noon}, "hanoi": {noon.Add(-time.Hour), noon}, "other": {},
	} {
		ctx := t.Context()
		if agency != "" {
			ctx = scope.With(ctx, scope.New(nhip.Scope{Agencies: []string{agency}}, nil))
		}
		got, err := c.BusSpans(ctx)
		if err != nil || got != (BusSpans{Arrivals: want}) {
			t.Errorf("%q: %+v, %v", agency, got, err)
		}
	}
	if n := h.read.Load(); n != 2 {
		t.Errorf("%d spans were read", n)
	}
}

// newCatalog returns the catalog of a monitor that is live (m00), two stations of the fleet, and a history.
func newCatalog(t *testing.T, h *history) *Catalog {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	state := live.New(live.Options{Clock: livetest.NewClock(noon), Logger: log})
	t.Cleanup(state.Close)
	livetest.ReceiveStation(t, state, livetest.Monitor(0, noon, 20))
	livetest.Receive(t, state, topics.FleetStationTopic("planned"), fleet.Station{
		ID: "planned", Name: nhip.LocalizedText{Vi: "Trạm mới"}, At: []float64{105.8, 21},
	})
	livetest.Receive(t, state, topics.FleetStationTopic("hidden"), fleet.Station{
		ID: "hidden", At: []float64{105.8, 21}, Position: fleet.Private,
	})
	c := New(state, h, log)
	t.Cleanup(c.Close)
	return c
}

func imported() *history {
	return &history{spans: []nhip.StationSpan{
		{Station: "m00", First: noon.AddDate(-1, 0, 0), Last: noon.Add(-time.Hour)},
		{Station: "old", First: noon.AddDate(-5, 0, 0), Last: noon.AddDate(-4, 0, 0)},
	}}
}

func TestEntriesAreOfLiveFleetAndHistory(t *testing.T) {
	entries, err := newCatalog(t, imported()).Entries(t.Context())
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	byID := make(map[string]Entry)
	for _, e := range entries {
		byID[e.ID] = e
	}
	m := byID["m00"] // its newest reading is younger than what was read
	if m.MapState(noon) != nhip.StateLive || !m.First.Equal(noon.AddDate(-1, 0, 0)) || !m.Last.Equal(noon) {
		t.Errorf("live: %+v", m)
	}
	if e := byID["old"]; e.MapState(noon) != nhip.StateSilent || !e.Last.Equal(noon.AddDate(-4, 0, 0)) {
		t.Errorf("imported: %+v", e)
	}
	e := byID["planned"]
	if _, placed := e.Point(); !placed || e.Name.Vi != "Trạm mới" || !e.Last.IsZero() || !e.First.IsZero() {
		t.Errorf("of the fleet: %+v", e)
	}
	e = byID["hidden"]
	if _, placed := e.Point(); placed {
		t.Error("a private position is shown")
	}
	if !slices.IsSortedFunc(entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("entries are not sorted")
	}
}

func TestStationExistsWhereverItIsKnown(t *testing.T) {
	h := imported()
	c := newCatalog(t, h)
	for _, id := range []string{"m00", "planned", "old", "old"} {
		if s, err := c.Station(t.Context(), id); err != nil || s.ID != id {
			t.Errorf("%s: %v", id, err)
		}
	}
	for range 3 {
		if _, err := c.Station(t.Context(), "never"); nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("unknown: %v", err)
		}
		if _, err := c.Entry(t.Context(), "never"); nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("unknown entry: %v", err)
		}
	}
	if h.listed.Load() != 1 || h.read.Load() != 1 {
		t.Errorf("%d lists and %d reads of spans, want 1 each", h.listed.Load(), h.read.Load())
	}
}

func TestStationIsTakenToExistWhileTheHistoryIsAway(t *testing.T) {
	c := newCatalog(t, &history{err: errors.New("away")})
	if s, err := c.Station(t.Context(), "old"); err != nil || s.ID != "old" {
		t.Errorf("%v", err)
	}
	if _, err := c.Stations(t.Context()); !errors.Is(err, live.ErrHistoryAway) {
		t.Errorf("Stations: %v", err)
	}
	if _, err := c.Entries(t.Context()); !errors.Is(err, live.ErrHistoryAway) {
		t.Errorf("Entries: %v", err)
	}
}

func TestCloseEndsAListThatRuns(t *testing.T) {
	started := make(chan struct{})
	s := newStationIDs(func(ctx context.Context) ([]string, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	go func() {
		<-started
		s.close()
	}()
	if known, err := s.has(t.Context(), "s"); known || err == nil {
		t.Errorf("%t %v", known, err)
	}
}
