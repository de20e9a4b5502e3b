package nhip

import "time"

// ServiceFeed is the state of a feed of trips and alerts.
type ServiceFeed struct {
	Feed         string    `json:"feed"`
	Agency       string    `json:"agency"`
	Time         time.Time `json:"time"` // of its last report
	Differential bool      `json:"differential,omitempty"`
	// whose expected times are told where its trips have ours, too
	Predictions Predictions `json:"predictions,omitempty"`
	Trips       int         `json:"trips"`
	Alerts      int         `json:"alerts"`
}

// Predictions says whose expected times riders are told, where a bus that we predict is on a trip of a realtime feed
// with expected times of its own. The zero value is PredictionsOurs.
type Predictions string

// The values of Predictions.
const (
	PredictionsOurs   Predictions = "ours"
	PredictionsTheirs Predictions = "theirs"
	PredictionsBetter Predictions = "better" // of those that were right more often in the last weeks
)

// How long what a feed said holds after its last message. A feed that stands still is no evidence.
const (
	ForecastHolds     = 10 * time.Minute // expected times
	ServiceHolds      = 30 * time.Minute // cancellations, skipped stops and additional trips of a full feed
	DifferentialHolds = 24 * time.Hour   // the same of a feed that sends each change once
	NoticeHolds       = 24 * time.Hour   // service alerts
	tripHolds         = 36 * time.Hour   // after the begin of the trip's day
)
