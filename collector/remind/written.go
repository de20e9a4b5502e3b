package remind

import (
	"encoding/json"
	"time"

	"nhip"
)

// written returns the published service alerts of dispatchers that have not ended at a time, which are documents and
// come from no feed.
func written(documents []nhip.DocumentState, now time.Time) (out []*nhip.ServiceAlert) {
	for _, d := range documents {
		var w nhip.WrittenAlert
		if json.Unmarshal(d.Body, &w) != nil || w.Status != nhip.AlertPublished || w.Over(now) {
			continue
		}
		out = append(out, &nhip.ServiceAlert{
			Feed: nhip.WrittenFeed, ID: d.ID, Agency: w.Agency, Severity: w.Severity, Periods: w.Periods,
			Informed: w.Informed,
			Header:   []nhip.Translation{{Language: "vi", Text: w.Header.Vi}, {Language: "en", Text: w.Header.En}},
		})
	}
	return out
}
