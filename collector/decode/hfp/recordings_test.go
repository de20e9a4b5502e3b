package hfp

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/recording"

	"github.com/google/go-cmp/cmp"
)

// summary counts the positions in recorded messages by their properties.
type summary struct {
	Messages                                           int
	Events                                             map[string]int
	WithPoint, Estimated, Dead, Moving, Timed, Delayed int
	Stops, NextStops, DoorsOpen, Speeds, Counted, Out  int
}

// TestDecodeRecordings decodes whole recordings of seven buses. No message may be rejected: missing positions or
// speeds, negative speeds and trips that were never operated are usual for devices in service.
func TestDecodeRecordings(t *testing.T) {
	for pattern, want := range map[string]summary{
		"hfp.dump": {
			Messages: 3690,
			Events: map[string]int{
				"vp": 3484, "upcoming-vp": 12, "due": 25, "arr": 20, "dep": 23, "ars": 20, "pde": 20, "pas": 3, "wait": 9,
				"doo": 19, "doc": 18, "tlr": 8, "vja": 13, "vjout": 13, "bout": 3,
			},
			WithPoint: 2750, Estimated: 113, Dead: 1264, Moving: 2227, Timed: 2427, Delayed: 762,
			Stops: 2457, NextStops: 2426, DoorsOpen: 930, Speeds: 2662,
		},
		"partialApc.dump": {Messages: 23, Events: map[string]int{"apc-partial": 23}, WithPoint: 23, Counted: 22, Out: 21},
	} {
		t.Run(pattern, func(t *testing.T) {
			if diff := cmp.Diff(want, summarize(t, pattern)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// summarize decodes every recording of a name, and validates each message at its time of arrival.
func summarize(t *testing.T, name string) summary {
	t.Helper()
	folder := os.Getenv("TESTDATA_DIR")
	if folder == "" {
		t.Skip("TESTDATA_DIR is not set; no recordings to decode")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "hfp", "apc-combiner", "*", name))
	if len(files) == 0 {
		t.Fatalf("no %s under %s", name, folder)
	}
	all, err := recording.OpenAll(files)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	h := summary{Events: make(map[string]int)}
	var facts nhip.Facts
	for {
		e, err := all.Next()
		if errors.Is(err, io.EOF) {
			return h
		}
		if err != nil {
			t.Fatal(err)
		}
		facts.Reset()
		err = Decoder.Decode(decode.Input{Topic: e.Topic, Payload: e.Payload, Feed: &decode.Feed{}}, &facts)
		if err == nil {
			err = facts.Validate(e.Time)
		}
		if err != nil {
			t.Errorf("%s %s: %v", e.Topic, e.Payload, err)
			continue
		}
		h.add(&facts.Positions[0])
	}
}

func (h *summary) add(p *nhip.Position) {
	h.Messages++
	h.Events[p.Event]++
	for sum, is := range map[*int]bool{
		&h.WithPoint: p.Point.Known(), &h.Estimated: p.Estimated, &h.Dead: p.Deadrun, &h.Moving: p.Moves(),
		&h.Timed: p.StartTime != "", &h.Delayed: p.Delay.Or(0) > 0, &h.Stops: p.Stop != "", &h.NextStops: p.NextStop != "",
		&h.DoorsOpen: p.DoorsOpen.Or(false), &h.Speeds: p.Speed.Known(), &h.Counted: p.Passengers.Known(),
		&h.Out: p.Alighted.Or(0) > 0,
	} {
		if is {
			*sum++
		}
	}
}
