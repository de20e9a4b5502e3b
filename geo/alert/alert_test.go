package alert

import (
	"math"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)

// play observes one value per hour. It returns the grade after each value that changed it, and 9 for other values.
func play(r *Rule, s *State, values ...float64) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = 9
		if s.Observe(r, "hn-01", noon.Add(time.Duration(i)*time.Hour), v) {
			out[i] = s.Alert.Grade
		}
	}
	return out
}

func TestGradesRiseAndFallWithHysteresis(t *testing.T) {
	r := &Rule{Name: "dust", Measure: "pm25", Thresholds: [3]float64{50, 80, 150}, Hysteresis: 5}
	got := play(r, new(State), 20, 51, 47, 79, 85, 76, 74, 160, 44, 60)
	want := []int{9, 1, 9, 9, 2, 9, 1, 3, 0, 1}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestGradeMustPersist(t *testing.T) {
	r := &Rule{Name: "dust", Measure: "pm25", Thresholds: [3]float64{math.NaN(), math.NaN(), 150}, Hold: 2 * time.Hour}
	if got, want := play(r, new(State), 160, 170, 100, 160, 160, 160, 10), []int{9, 9, 9, 9, 9, 3, 0}; !cmp.Equal(got,
		want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestLowCaptureRaisesAlert(t *testing.T) {
	r := &Rule{Name: "c", Measure: MeasureCapture, Thresholds: [3]float64{90, 75, 50}, Hysteresis: 2}
	if got, want := play(r, new(State), 100, 89, 91, 70, 93), []int{9, 1, 9, 2, 0}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestEpisodeIsReportedOnce(t *testing.T) {
	r := &Rule{Name: "dust", Measure: "pm25", Thresholds: [3]float64{50, math.NaN(), math.NaN()}}
	var s State
	if !s.Observe(r, "hn-01", noon, 60) || s.Observe(r, "hn-01", noon, 60) ||
		s.Observe(r, "hn-01", noon.Add(-time.Hour), 10) {
		t.Error("value that is not newer changed the alert")
	}
	id := s.Alert.ID
	s.Alert.AckBy = "Lan"
	s.Observe(r, "hn-01", noon.Add(time.Hour), 90)
	want := nhip.Alert{
		ID: id, Rule: "dust", Measure: "pm25", Station: "hn-01", Grade: 1, Value: 60, Peak: 90, Since: noon, Time: noon,
		AckBy: "Lan", Threshold: nhip.Some(r.Thresholds[0]),
		Changes: []nhip.AlertChange{{Time: noon, Grade: 1, Value: 60, Threshold: nhip.Some(r.Thresholds[0])}},
	}
	if !cmp.Equal(s.Alert, want) {
		t.Error(cmp.Diff(want, s.Alert))
	}
	s.Observe(r, "hn-01", noon.Add(2*time.Hour), 10)
	s.Observe(r, "hn-01", noon.Add(3*time.Hour), 60)
	if s.Alert.ID == id || s.Alert.AckBy != "" {
		t.Errorf("second episode reuses the first alert: %+v", s.Alert)
	}
}
