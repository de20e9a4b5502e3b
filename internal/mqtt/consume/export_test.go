package consume

import "time"

// ShortPauses returns options whose source pauses for milliseconds instead of seconds.
func ShortPauses(o Options) Options {
	setDefaults(&o)
	o.limits.unreachable, o.limits.rejected, o.limits.longest = 5*time.Millisecond, 5*time.Millisecond, 50*time.Millisecond
	return o
}

// SmallQueues makes a source hold few messages at once, and notice a lost connection as early as paho can.
func SmallQueues(o *Options) {
	setDefaults(o)
	o.limits.keepAlive, o.limits.ping = time.Second, 500*time.Millisecond
	o.limits.inbox, o.limits.unacked = 10, 5
}

// FastWatchdog makes the watchdog act after milliseconds instead of minutes.
func FastWatchdog(o *Options) {
	setDefaults(o)
	o.limits.probe, o.limits.silent, o.limits.quiet = fastProbeInterval, watchdogSilence, watchdogSilence
}

// FastProbes is FastWatchdog without the action for a connection on which only probes arrive.
func FastProbes(o *Options) {
	FastWatchdog(o)
	o.limits.quiet = time.Hour
}

// watchdogSilence is fifty times the probe interval, so that a busy machine is not taken for a silent connection.
const (
	fastProbeInterval = 10 * time.Millisecond
	watchdogSilence   = 500 * time.Millisecond
)

// ProbesPerSilence is how many probes FastProbes sends in the time after which a connection counts as silent.
const ProbesPerSilence = int(watchdogSilence / fastProbeInterval)

// Stopping reports whether Stop was called.
func (s *Source) Stopping() bool { return s.tasks.Context().Err() != nil }

func setDefaults(o *Options) {
	if o.limits == (limits{}) {
		o.limits = defaultLimits()
	}
}
