package mqtt

import "time"

// Hasty returns options whose source waits a few milliseconds where it would wait seconds.
func Hasty(o SourceOptions) SourceOptions {
	o.pace = pace{away: 5 * time.Millisecond, refused: 5 * time.Millisecond, longest: 50 * time.Millisecond, moment: moment}
	return o
}
