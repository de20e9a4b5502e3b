package mqtt

import "time"

// Hasty returns options whose source waits a few milliseconds where it would wait seconds.
func Hasty(o SourceOptions) SourceOptions {
	if o.pace == (pace{}) {
		o.pace = usualPace()
	}
	o.pace.away, o.pace.refused, o.pace.longest = 5*time.Millisecond, 5*time.Millisecond, 50*time.Millisecond
	return o
}

// Narrow makes a source take few messages at once, and notice a dead line as soon as a client can.
func Narrow(o *SourceOptions) {
	o.pace = usualPace()
	o.pace.keepAlive, o.pace.ping = time.Second, 500*time.Millisecond
	o.pace.waiting, o.pace.inHand = 10, 5
}

// Watchful makes a source suspect silence after milliseconds.
func Watchful(o *SourceOptions) {
	if o.pace == (pace{}) {
		o.pace = usualPace()
	}
	o.pace.probe, o.pace.silent, o.pace.quiet = 10*time.Millisecond, 150*time.Millisecond, 150*time.Millisecond
}

// Wakeful is Watchful that does not mind when only probes come.
func Wakeful(o *SourceOptions) {
	Watchful(o)
	o.pace.quiet = time.Hour
}
