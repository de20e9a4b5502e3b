package staff

import (
	"cmp"
	"net/http"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
)

// valueHistory is the answer of GET /v1/stations/{id}/value.
type valueHistory struct {
	Reading   storedReading `json:"reading"`
	Period    string        `json:"period"`
	Unit      string        `json:"unit"`
	Received  time.Time     `json:"received"`
	Revisions []revision    `json:"revisions"` // other values for the same time
	Reviews   []nhip.Review `json:"reviews"`   // those that cover it, oldest first
	Flag      nhip.Flag     `json:"flag"`      // after the reviews
}

// storedReading is a reading with its period as text.
type storedReading struct {
	nhip.AssessedReading
	Period string `json:"period"`
}

// revision is another value that the device sent for the same time.
type revision struct {
	Value    float64   `json:"value"`
	Flag     nhip.Flag `json:"flag"`
	Received time.Time `json:"received"`
}

// valueQuery is a query of GET /v1/stations/{id}/value.
type valueQuery struct {
	station  string
	quantity nhip.Quantity
	at       time.Time
	period   time.Duration // 0: any
}

// readValueQuery reads the query of GET /v1/stations/{id}/value.
func readValueQuery(r *http.Request) (*valueQuery, error) {
	id, err := rest.PathID(r, "id")
	p := rest.ReadQuery(r, "quantity", "time", "period")
	q := &valueQuery{station: id, quantity: nhip.Quantity(p.Text("quantity")), at: p.Time("time", time.Time{})}
	switch {
	case !q.quantity.Known():
		p.Fail("quantity", "must be a known quantity, got %q", string(q.quantity))
	case q.at.IsZero():
		p.Fail("time", "is required: the END of the averaging period")
	}
	if text := p.Text("period"); text != "" {
		q.period, p.Err = nhip.ParsePeriod(text)
	}
	return q, cmp.Or(err, p.Err)
}

// getValue answers GET /v1/stations/{id}/value with one value, its revisions and its reviews.
func (h *Handler) getValue(w http.ResponseWriter, r *http.Request) error {
	q, err := readValueQuery(r)
	if err != nil {
		return err
	}
	if !h.Stations.Sees(r.Context(), q.station) {
		return live.UnknownStation(q.station)
	}
	versions, err := h.History.ReadingVersions(r.Context(), q.station, q.quantity, q.at)
	if err != nil {
		return h.historyError("value", err)
	}
	answer := valueHistory{Revisions: []revision{}, Reviews: []nhip.Review{}}
	for _, v := range versions {
		switch {
		case q.period != 0 && v.Period != q.period:
		case v.Revision == 0:
			answer.Reading = storedReading{v.AssessedReading, nhip.FormatPeriod(v.Period)}
			answer.Received = v.Received
		default:
			answer.Revisions = append(answer.Revisions, revision{v.Value, v.Flag, v.Received})
		}
	}
	if answer.Received.IsZero() {
		if _, err := h.Stations.Station(r.Context(), q.station); err != nil {
			return err
		}
		return nhip.Errorf(nhip.CodeNotFound, "time", "%q has no reading of %s that ends at this time", q.station, q.quantity)
	}
	reviews, err := h.reviews(r.Context(), q.station)
	if err != nil {
		return err
	}
	for i := range reviews {
		if reviews[i].Covers(q.quantity, q.at) {
			answer.Reviews = append(answer.Reviews, reviews[i])
		}
	}
	_, flag := answer.Reading.At(nhip.QualityAutomatic)
	answer.Flag, _ = nhip.Decide(reviews, q.quantity, q.at, flag)
	answer.Period, answer.Unit = answer.Reading.Period, q.quantity.Unit()
	return h.JSON(w, rest.NoStore, answer)
}
