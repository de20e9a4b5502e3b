package influx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"nhip/internal/influx"
)

func TestWriteDividedKeepsGoodRows(t *testing.T) {
	var lines []byte
	for i := range 200 {
		kind := "good"
		if i == 0 || i == 77 || i == 199 {
			kind = "bad"
		}
		lines = fmt.Appendf(lines, "%s n=%d %d\n", kind, i, i)
	}
	for name, kind := range map[string]influx.Kind{"refused": influx.Rejected, "too large": influx.TooLarge} {
		stored, requests := 0, 0
		refused, reason, err := influx.WriteDivided(t.Context(), lines, func(_ context.Context, part []byte) error {
			requests++
			if kind == influx.TooLarge && len(part) > 500 || bytes.Contains(part, []byte("bad")) {
				return &influx.WriteError{Kind: kind, Err: errors.New("no")}
			}
			stored += bytes.Count(part, []byte("\n"))
			return nil
		})
		if refused != 3 || reason == nil || err != nil || stored != 197 {
			t.Errorf("%s: %d refused, %d stored in %d requests, %v, %v", name, refused, stored, requests, reason, err)
		}
	}
}

func TestWriteDividedBoundsRequests(t *testing.T) {
	requests := 0
	lines := bytes.Repeat([]byte("m f=1 1\n"), 10_000)
	refused, _, err := influx.WriteDivided(t.Context(), lines, func(context.Context, []byte) error {
		requests++
		return &influx.WriteError{Kind: influx.Rejected, Err: errors.New("no")}
	})
	if refused != 10_000 || err != nil || requests > 200 {
		t.Errorf("%d refused in %d requests, %v", refused, requests, err)
	}
	_, _, err = influx.WriteDivided(t.Context(), lines, func(context.Context, []byte) error {
		return &influx.WriteError{Kind: influx.Retry, Err: errors.New("away")}
	})
	if err == nil {
		t.Error("no error while the database is away")
	}
}
