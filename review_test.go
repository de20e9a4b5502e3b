package nhip_test

import (
	"testing"
	"time"

	"nhip"
)

func TestBaselineNeedsDays(t *testing.T) {
	r := nhip.Review{
		ID: "1", Station: "s", Action: nhip.ActionBaseline, By: "Lan", Why: "calibrated",
		To: time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), Time: time.Date(2026, 2, 17, 0, 0, 0, 0, time.UTC),
	}
	r.From = r.To.Add(-nhip.MinBaselineSpan)
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	r.From = r.From.Add(time.Second)
	if err := r.Validate(); nhip.ErrorCode(err) != nhip.CodeOutOfRange {
		t.Errorf("a shorter one returned %v", err)
	}
	r.Action = nhip.ActionExclude
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
}
