package air

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// TestLostReviewsComeFromDatabase empties and damages the file of reviews between two starts.
func TestLostReviewsComeFromDatabase(t *testing.T) {
	h := newHarness(t, influxtest.Start(t))
	h.store(t, series("s", nhip.PM25, time.Hour, noon, 10, 20)...)
	review := nhip.Review{
		ID: "r1", Station: "s", Quantity: nhip.PM25, From: noon.Add(-time.Hour), To: noon, Action: nhip.ActionExclude,
		By: "an", Why: "x", Time: noon,
	}
	if err := h.db.Write(t.Context(), influx.AppendReview(nil, &review, noon)); err != nil {
		t.Fatal(err)
	}
	if err := h.Review(review); err != nil {
		t.Fatal(err)
	}
	h.waitIdle(t)
	path := filepath.Join(h.dir, reviewsFile)
	for _, damage := range []string{"", "\x00garbage\n"} {
		h.stop()
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		h.start(t)
		awaittest.True(t, "the review is known again", func() bool {
			h.Processor.mu.Lock()
			defer h.Processor.mu.Unlock()
			return h.reviews["r1"] != nil
		})
		if raw, err := os.ReadFile(path); err != nil || len(raw) < 20 {
			t.Errorf("file of reviews: %q, %v", raw, err)
		}
	}
	if kept, _ := filepath.Glob(path + ".damaged-*"); len(kept) != 2 {
		t.Errorf("kept %v", kept)
	}
}
