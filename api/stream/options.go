package stream

import (
	"time"

	"nhip"
	"nhip/internal/recovery"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure a Hub.
type Options struct {
	Clock      nhip.Clock // the city's clock
	MaxStreams int        // open at a time; 0 is no limit
	PerAddress int        // open at a time from one address, or one /64 of IPv6; 0 is no limit
	Registerer prometheus.Registerer
	Guard      *recovery.Guard // counts and logs panics; may be nil
	Watch      Watch           // what streams show beside the live state

	heartbeat, stuckLimit, watchEvery time.Duration // 0: the constants; shorter in tests
	alertsEvery                       time.Duration // 0: the constant
	maxWatched, maxAlerts             int           // 0: the constants
}

// heartbeat is how often a stream sends the time, so that proxies keep it open and a client notices a dead connection:
// browsers hide comments and report nothing.
const heartbeat = 15 * time.Second
