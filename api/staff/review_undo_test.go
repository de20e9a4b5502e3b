package staff

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/internal/topics"
)

// oneReview is a history with a review of the station b.
type oneReview struct{ History }

func (oneReview) Reviews(_ context.Context, station string, _ time.Time) ([]nhip.Review, error) {
	if station != "" && station != "b" {
		return nil, nil
	}
	return []nhip.Review{{ID: "r", Station: "b"}}, nil
}

// noStations is a history of stations without any.
type noStations struct{ catalog.History }

func (noStations) Stations(context.Context) ([]string, error) { return nil, nil }

// TestReviewIsFoundAlthoughItsIDWasUsedAgain: somebody with another station must not hide it, and gets none of it.
func TestReviewIsFoundAlthoughItsIDWasUsedAgain(t *testing.T) {
	state := live.New(live.Options{Clock: fixedClock{}, Logger: discard, LineOf: func(string) string { return "" }})
	t.Cleanup(state.Close)
	for _, id := range []string{"a", "b"} {
		livetest.Receive(t, state, topics.FleetStationTopic(id), map[string]any{"id": id, "kind": "reference"})
	}
	known := catalog.New(state, noStations{}, discard)
	t.Cleanup(known.Close)
	h := &Handler{
		History: oneReview{}, Stations: known, Clock: fixedClock{}, Decided: new(Decided),
		Responder: rest.Responder{Logger: discard},
	}
	h.Decided.add(&nhip.Review{ID: "r", Station: "a"})
	for station, found := range map[string]bool{"a": false, "b": true} {
		view := scope.New(nhip.Scope{Stations: []string{station}}, nil)
		r := access.WithCaller(httptest.NewRequest(http.MethodPost, "/", nil), access.Caller{View: view}, access.Allowed)
		all, at, err := h.findReview(r, "r")
		if found != (err == nil) || found && all[at].Station != "b" || !found && nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("by who sees %s: %+v %v", station, all, err)
		}
	}
}
