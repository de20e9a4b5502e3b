package amqp

import "time"

// ShortPauses makes a source pause for milliseconds instead of seconds.
func ShortPauses(o *Options) {
	o.timing = defaultTiming()
	o.timing.finish = time.Second
	o.timing.first, o.timing.longest = 5*time.Millisecond, 50*time.Millisecond
}
