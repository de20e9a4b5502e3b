package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// maxRate bounds the rate of a replayed clock: a year in five minutes.
const maxRate = 100_000

// ParseClock parses the flag --clock: "T" or "T*N" with T in RFC 3339. "" is the wall clock.
func ParseClock(s string) (nhip.Clock, error) {
	if s == "" {
		return nhip.WallClock{}, nil
	}
	stamp, factor, scaled := strings.Cut(s, "*")
	start, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return nil, fmt.Errorf("--clock: must be T or T*N with T as in 2026-02-16T15:58:02Z, got %q", s)
	}
	rate := 1.0
	if scaled {
		rate, err = strconv.ParseFloat(factor, 64)
		if err != nil || !(rate > 0 && rate <= maxRate) {
			return nil, fmt.Errorf("--clock: the rate must be above 0 and at most %d, got %q", maxRate, factor)
		}
	}
	return nhip.NewReplayClock(start, rate), nil
}
