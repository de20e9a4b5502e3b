package stream

import (
	"strings"
	"time"

	"nhip/api/scope"

	"github.com/paulmach/orb"
)

// Watch is what streams show beside the live state. Each part may be missing. Its functions run without a lock of the
// hub, one at a time except for the checks.
type Watch struct {
	// Stops and Zones are the boards of stops and the air of zones, which are computed while a client watches them.
	Stops, Zones Source
	// Tiles returns the versions of the tile sets, as JSON that differs once a tile does.
	Tiles func() []byte
	// Alerts returns the service alerts that are active now, the newest first.
	Alerts func() []ServiceAlert
	// ZonesAt returns the zones, as kind/id, that hold a point.
	ZonesAt func(orb.Point) []string
}

// Source makes the content of watched objects of one kind.
type Source interface {
	// Check returns an error that names no field if there is no such object.
	Check(id string) error
	// Content returns the JSON of an object as a caller with a view sees it, and a state of the source's own. last is the
	// state of the content that clients have, nil if they have none: data are nil if they differ from it too little to be
	// sent. found is false if the object does not exist.
	Content(id string, sees scope.View, last any) (data []byte, state any, found bool)
}

// watched is what an object has that is computed while clients watch it.
type watched struct {
	from     Source
	sees     scope.View
	audience string // of sees
	clients  int
	data     []byte // nil: not computed, or the object does not exist
	state    any    // of the source
	absent   bool   // whether the object does not exist
}

// inUse reports whether clients watch an object.
func (o *object) inUse() bool {
	return o.watched != nil && (o.watched.clients > 0 || o.kind == kindTiles)
}

// pending reports whether an object is watched and its content is not computed yet.
func (o *object) pending() bool {
	return o.watched != nil && o.watched.data == nil && !o.watched.absent
}

// audienceOf returns a text that is equal for callers that see the same.
func audienceOf(sees scope.View) string {
	l := sees.Limits()
	if !l.LimitsStations() && !l.LimitsAgencies() {
		return ""
	}
	var b strings.Builder
	for _, ids := range [][]string{l.Zones, l.Areas, l.Stations, l.Agencies} {
		b.WriteString(strings.Join(ids, "\x01"))
		b.WriteByte(0)
	}
	return b.String()
}

// Bounds of watching.
const (
	maxWatched = 1000            // objects that are watched in all, by any number of clients
	watchEvery = 5 * time.Second // how often their contents are computed
	watchRest  = 3               // times as long as that takes, the goroutine rests at least
)
