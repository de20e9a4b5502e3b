package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"nhip"
)

// ReadingQuery selects readings, or the roll-ups of a period, of one station.
type ReadingQuery struct {
	Station string
	From    time.Time    // exclusive
	To      time.Time    // inclusive
	Period  string       // "raw", "hour", "day" or "month"
	Quality nhip.Quality // "" is nhip.QualityReviewed; nhip.QualityRaw needs the token
}

// ReadingRow is a reading, or a roll-up. A value that is withheld, because it failed the checks, is unknown.
type ReadingRow struct {
	Quantity nhip.Quantity     `json:"quantity"`
	Time     time.Time         `json:"time"`  // END
	Value    nhip.Opt[float64] `json:"value"` // of a reading
	Mean     nhip.Opt[float64] `json:"mean"`  // of a roll-up, as the next ones
	Min      float64           `json:"min"`
	Max      float64           `json:"max"`
	P98      float64           `json:"p98"`
	Count    int               `json:"count"`
	Capture  float64           `json:"capture_pct"`
	Period   string            `json:"period"`
	Flag     nhip.Flag         `json:"flag"`
	Quality  nhip.Quality      `json:"level"`
	Tests    string            `json:"tests"`
	Rule     string            `json:"rule"`
}

// readingPage is how many rows one request reads.
const readingPage = 50_000

// Readings yields rows, oldest first. It ends after the first error.
func (c *Client) Readings(ctx context.Context, q ReadingQuery) iter.Seq2[*ReadingRow, error] {
	return func(yield func(*ReadingRow, error) bool) {
		v := query{}
		v.text("period", q.Period)
		v.text("level", string(q.Quality))
		v.preciseTime("from", q.From)
		v.preciseTime("to", q.To)
		v.number("limit", readingPage)
		for {
			var page struct {
				Readings []ReadingRow `json:"readings"`
				Next     string       `json:"next"`
			}
			if err := c.get(ctx, "/v1/stations/"+url.PathEscape(q.Station)+"/readings", v, &page); err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Readings {
				if !yield(&page.Readings[i], nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			v.text("cursor", page.Next)
		}
	}
}

// IndexQuery selects indices of one station.
type IndexQuery struct {
	Station string
	From    time.Time // exclusive
	To      time.Time // inclusive
	Daily   bool
	Scale   nhip.Scale
	Quality nhip.Quality // "" is nhip.QualityReviewed
}

// Indices returns the indices of the hours or days of a station, oldest first.
func (c *Client) Indices(ctx context.Context, q IndexQuery) ([]nhip.AQI, error) {
	v := query{}
	v.text("period", "hour")
	if q.Daily {
		v.text("period", "day")
	}
	v.text("index", string(q.Scale))
	v.text("level", string(q.Quality))
	v.preciseTime("from", q.From)
	v.preciseTime("to", q.To)
	var answer struct {
		Indices []nhip.AQI `json:"indices"`
	}
	if err := c.get(ctx, "/v1/stations/"+url.PathEscape(q.Station)+"/aqi", v, &answer); err != nil {
		return nil, err
	}
	return answer.Indices, nil
}

// ExceedanceQuery selects exceedances of limits.
type ExceedanceQuery struct {
	Station string       // "" for all
	Area    string       // "" for all
	From    time.Time    // exclusive
	To      time.Time    // inclusive
	Quality nhip.Quality // "" is nhip.QualityReviewed

	Exceeded bool // only limits that were exceeded
}

// ExceedanceRow compares one average of one quantity at one station with its limit.
type ExceedanceRow struct {
	Station   string              `json:"station"`
	Area      string              `json:"area"`
	Quantity  nhip.Quantity       `json:"quantity"`
	Average   string              `json:"average"` // "1h", "8h", "24h" or "year"
	Limit     float64             `json:"limit"`
	Number    int                 `json:"number"`
	Evaluated int                 `json:"evaluated"`
	Capture   float64             `json:"capture_pct"`
	Hours     float64             `json:"hours"`
	Longest   float64             `json:"longest_hours"`
	Max       nhip.Opt[float64]   `json:"max"`
	MaxTime   nhip.Opt[time.Time] `json:"max_time"`
}

// Exceedances returns the exceedances of limits, sorted by quantity, then station.
func (c *Client) Exceedances(ctx context.Context, q ExceedanceQuery) ([]ExceedanceRow, error) {
	v := query{}
	v.text("station", q.Station)
	v.text("area", q.Area)
	v.text("level", string(q.Quality))
	v.preciseTime("from", q.From)
	v.preciseTime("to", q.To)
	if q.Exceeded {
		v.text("exceeded", "true")
	}
	var answer struct {
		Rows []ExceedanceRow `json:"rows"`
	}
	if err := c.get(ctx, "/v1/exceedances", v, &answer); err != nil {
		return nil, err
	}
	return answer.Rows, nil
}

// StationInfo is what identifies a station.
type StationInfo struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // "reference" or ""
	Zone string `json:"zone"` // of its days; "" is the platform's
}

// Station returns a station.
func (c *Client) Station(ctx context.Context, id string) (*StationInfo, error) {
	var answer struct {
		Properties StationInfo `json:"properties"`
	}
	if err := c.get(ctx, "/v1/stations/"+url.PathEscape(id), nil, &answer); err != nil {
		return nil, err
	}
	return &answer.Properties, nil
}

// preciseTime sets a time with its fraction of a second.
func (q query) preciseTime(name string, value time.Time) {
	if !value.IsZero() {
		q[name] = []string{value.UTC().Format(time.RFC3339Nano)}
	}
}
