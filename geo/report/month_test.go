package report

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProfilesUseLocalTime(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, hanoi)
	values := make([]float64, 48)
	for i := range values {
		values[i] = float64(i)
	}
	all := hoursFrom(monday, values...)
	if d := Diurnal(all, hanoi); d[0] != 12 || d[23] != 35 || d.Max() != 35 {
		t.Errorf("diurnal profile: %v", d)
	}
	if w := Weekdays(all, hanoi); w[0] != 11.5 || w[1] != 35.5 || !math.IsNaN(w[2]) {
		t.Errorf("weekday profile: %v", w)
	}
}

func TestGaps(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return from.Add(time.Duration(h) * time.Hour) }
	got := Gaps([]time.Time{at(-1), at(3), at(4), at(8)}, from, at(10))
	want := []Gap{{from, at(2), 2}, {at(4), at(7), 3}, {at(8), at(10), 2}}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := Gaps([]time.Time{at(1), at(2)}, from, at(2)); got != nil {
		t.Errorf("gaps without missing hours: %v", got)
	}
}

func TestCalendar(t *testing.T) {
	weeks := Calendar(time.Date(2026, 2, 15, 0, 0, 0, 0, hanoi)) // the month begins on a Sunday
	if len(weeks) != 5 || weeks[0][6].Day() != 1 || !weeks[0][5].IsZero() || weeks[4][5].Day() != 28 {
		t.Errorf("%v", weeks)
	}
}
