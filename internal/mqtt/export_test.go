package mqtt

import "time"

// FastTimings makes a client subscribe again, and its watchdog act, after milliseconds instead of minutes.
func FastTimings(o Options) Options {
	const probe, silence = 10 * time.Millisecond, 500 * time.Millisecond
	o.timings = timings{
		watch:  WatchTimings{Probe: probe, Silent: silence, Quiet: time.Hour},
		resend: 50 * time.Millisecond, refused: 20 * time.Millisecond,
	}
	return o
}
