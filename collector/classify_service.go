package collector

import (
	"time"

	"nhip"
	"nhip/collector/ledger"
	"nhip/internal/influx"
	"nhip/internal/topics"

	"github.com/cespare/xxhash/v2"
)

// serviceRepeats is how long the same content of a trip or an alert is one fact: feeds repeat all they say with each
// message.
const serviceRepeats = 24 * time.Hour

// addService adds the alerts of a report, and the trips that differ from the timetable in more than their delay.
func (d *deduplicator) addService(seq uint64, r *nhip.ServiceReport) {
	n := 0
	add := func(row influx.ServiceRow, state any) {
		content := encodeService(state)
		f := ledger.Fact{
			Device: topics.ServiceDevice(r.Feed), Series: row.Kind + "/" + row.ID,
			// A row's number keeps the rows of one message apart in the database, where they share their tags.
			Time: r.Time.UnixMilli() + int64(n), Print: xxhash.Sum64(content), Within: serviceRepeats,
		}
		row.Content, row.Time = string(content), time.UnixMilli(f.Time).UTC()
		received := d.batch.outcome.Received
		isNew := d.classify(seq, &f, neverRevised, func(dst []byte, _ int) []byte {
			return influx.AppendService(dst, &row, received)
		})
		if isNew {
			n++
		}
	}
	for i := range r.Trips {
		if u := &r.Trips[i]; u.ChangesService() {
			c := u.Change()
			add(influx.ServiceRow{
				Agency: r.Agency, Feed: r.Feed, Kind: topics.ServiceTrip, ID: u.Key(), Route: u.Route, Trip: u.Trip,
				StartDate: u.StartDate, Relationship: string(u.Relationship),
			}, &c)
		}
	}
	for i := range r.Alerts {
		a := r.Alerts[i]
		a.Time = time.Time{}
		add(influx.ServiceRow{
			Agency: r.Agency, Feed: r.Feed, Kind: topics.ServiceAlert, ID: a.ID, Effect: a.Effect,
		}, &a)
	}
}
