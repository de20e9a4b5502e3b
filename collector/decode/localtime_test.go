package decode_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"

	"pgregory.net/rapid"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestLocalTime(t *testing.T) {
	hanoi, berlin := zone(t, "Asia/Ho_Chi_Minh"), zone(t, "Europe/Berlin")
	for _, c := range []struct {
		text string
		zone *time.Location
		want string // RFC 3339, or an error's code
	}{
		{"2026-02-16T15:58:02", nil, "2026-02-16T15:58:02Z"},
		{"2026-02-16 15:58:02", time.UTC, "2026-02-16T15:58:02Z"},
		{"2026-02-16T22:58:02", hanoi, "2026-02-16T15:58:02Z"},
		{"2026-02-16T22:58:02.0239", hanoi, "2026-02-16T15:58:02.023Z"},
		{"2026-02-16T22:58:02+07:00", berlin, "2026-02-16T15:58:02Z"},
		{"2026-02-16 15:58:02.5Z", hanoi, "2026-02-16T15:58:02.5Z"},
		{"2026-02-16T15:58:02", time.FixedZone("", -3600), "2026-02-16T16:58:02Z"},

		{"2026-03-29T01:59:59", berlin, "2026-03-29T00:59:59Z"},
		{"2026-03-29T02:00:00", berlin, "out_of_range"}, // the clocks go from 02:00 to 03:00
		{"2026-03-29T02:59:59", berlin, "out_of_range"},
		{"2026-03-29T03:00:00", berlin, "2026-03-29T01:00:00Z"},
		{"2026-10-25T01:59:59", berlin, "2026-10-24T23:59:59Z"},
		{"2026-10-25T02:00:00", berlin, "out_of_range"}, // and from 03:00 to 02:00
		{"2026-10-25T02:59:59.9", berlin, "out_of_range"},
		{"2026-10-25T02:30:00+01:00", berlin, "2026-10-25T01:30:00Z"},
		{"2026-10-25T03:00:00", berlin, "2026-10-25T02:00:00Z"},

		{"", nil, "malformed"},
		{"16.02.2026 15:58", nil, "malformed"},
		{"2026-02-30T15:58:02", nil, "malformed"},
		{"2026-02-16T15:58:02 ICT", nil, "malformed"},
		{"2026-02-16", nil, "malformed"},
	} {
		got, err := decode.LocalTime(c.text, c.zone)
		answer := got.Format(time.RFC3339Nano)
		if err != nil {
			answer = string(nhip.ErrorCode(err))
		}
		if answer != c.want {
			t.Errorf("%s in %v: %s (%v), want %s", c.text, c.zone, answer, err, c.want)
		}
	}
}

// TestLocalTimeIsOneInstant compares LocalTime with the zone itself: the local time of an instant is parsed as that
// instant, or rejected near a clock change.
func TestLocalTimeIsOneInstant(t *testing.T) {
	zones := []*time.Location{
		zone(t, "Asia/Ho_Chi_Minh"), zone(t, "Europe/Berlin"), zone(t, "Australia/Lord_Howe"), zone(t, "America/New_York"),
	}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(t, "unix"), 0).UTC()
		text := at.In(z).Format("2006-01-02T15:04:05")
		got, err := decode.LocalTime(text, z)
		if err == nil && !got.Equal(at) {
			t.Fatalf("%s shows %s, read as %s", at, text, got)
		}
		_, before := at.Add(-2 * time.Hour).In(z).Zone()
		_, after := at.Add(2 * time.Hour).In(z).Zone()
		if err != nil && before == after {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
