package transit

import (
	"cmp"
	"context"
	"slices"

	"nhip"
)

// KeepScores saves the scores of realtime feeds now and then, and once more when ctx ends. It returns ctx's error.
func (m *Model) KeepScores(ctx context.Context) error {
	return m.feeds.keep(ctx, m.o.ScoresFile, m.o.Logger)
}

// FeedQuality is how right the expected times of a realtime feed are beside ours, on the same questions of the last
// weeks.
type FeedQuality struct {
	Feed        string           `json:"feed"`
	Agency      string           `json:"agency"`
	Predictions nhip.Predictions `json:"predictions"`     // the setting
	Told        nhip.Predictions `json:"told"`            // whose are told: ours or theirs
	Since       string           `json:"since,omitempty"` // UTC date on which the better ones changed
	Minutes     int              `json:"board_minutes"`   // questions to boards that arrivals answered
	Ours        RivalScore       `json:"ours"`
	Theirs      RivalScore       `json:"theirs"`
}

// FeedQualities returns the quality of each realtime feed that expects times, or whose setting is not ours, by name.
func (m *Model) FeedQualities() []FeedQuality {
	out := []FeedQuality{}
	for _, f := range m.ServiceFeeds() {
		q := FeedQuality{
			Feed: f.Feed, Agency: f.Agency, Predictions: cmp.Or(f.Predictions, nhip.PredictionsOurs), Told: m.feeds.told(&f),
		}
		m.feeds.mu.RLock()
		x := m.feeds.feeds[f.Feed]
		if x != nil {
			sum := x.sum(func(string) bool { return true })
			q.Minutes, q.Ours, q.Theirs = sum.outcomes(), sum.report(&sum.Ours), sum.report(&sum.Theirs)
			if f.Predictions == nhip.PredictionsBetter {
				q.Since = x.Since
			}
		}
		m.feeds.mu.RUnlock()
		if x != nil || q.Predictions != nhip.PredictionsOurs {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(a, b FeedQuality) int { return cmp.Compare(a.Feed, b.Feed) })
	return out
}
