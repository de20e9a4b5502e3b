package remind

import (
	"encoding/json"
	"time"

	"nhip"
)

// writtenAlerts is the kind of the documents that are service alerts by dispatchers, which come from no feed.
const writtenAlerts = "service-alert"

// writtenFeed is the feed that they are told as.
const writtenFeed = "nhip-dispatch"

// writtenAlert is what reminders need of such a document.
type writtenAlert struct {
	Status   string                `json:"status"`
	Ended    time.Time             `json:"ended"`
	Severity string                `json:"severity"`
	Header   nhip.LocalizedText    `json:"header"`
	Periods  []nhip.Period         `json:"periods"`
	Informed []nhip.InformedEntity `json:"informed"`
}

// written returns the published service alerts of dispatchers that have not ended at a time.
func written(documents []nhip.DocumentState, now time.Time) (out []*nhip.ServiceAlert) {
	for _, d := range documents {
		var w writtenAlert
		if json.Unmarshal(d.Body, &w) != nil || w.Status != "published" || !w.Ended.IsZero() && !now.Before(w.Ended) {
			continue
		}
		out = append(out, &nhip.ServiceAlert{
			Feed: writtenFeed, ID: d.ID, Severity: w.Severity, Periods: w.Periods, Informed: w.Informed,
			Header: []nhip.Translation{{Language: "vi", Text: w.Header.Vi}, {Language: "en", Text: w.Header.En}},
		})
	}
	return out
}
