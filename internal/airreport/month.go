package airreport

import (
	"time"

	"nhip"
	"nhip/geo/report"
)

// MonthQuery asks for the report of a month.
type MonthQuery struct {
	Station, Area string    // both "": the network
	Month         time.Time // local start in the zone of the station, or of the city
	Quality       nhip.Quality
	Lang          string          // of the names: vi or en
	Stations      []*nhip.Station // that the report is about, by id
	Limited       bool            // they are not all that there are, although Station and Area are ""
}

// ids returns the stations that the history is asked for; nil for all.
func (q *MonthQuery) ids() []string {
	if q.Station != "" {
		return []string{q.Station}
	}
	if q.Area == "" && !q.Limited || len(q.Stations) > maxCondition {
		return nil
	}
	out := make([]string, len(q.Stations))
	for i, s := range q.Stations {
		out[i] = s.ID
	}
	return out
}

// Monthly is the report of a month, the monthly report of a station, an area or the network.
type Monthly struct {
	Month    string    `json:"month"` // YYYY-MM
	Zone     string    `json:"zone"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"` // the end of the month, or now
	Complete bool      `json:"complete"`
	Station  string    `json:"station,omitempty"`
	Area     string    `json:"area,omitempty"`

	Level    nhip.Quality `json:"level"`
	Made     time.Time    `json:"made"`
	Source   string       `json:"source"` // of the limits
	Stations int          `json:"stations"`
	Silent   []string     `json:"silent"` // stations without a complete hour

	Quantities  []MonthQuantity   `json:"quantities"`
	Rows        []MonthRow        `json:"rows"`
	Calendar    []MonthDay        `json:"calendar"`
	Exceedances []MonthExceedance `json:"exceedances"`
	Profiles    []MonthProfile    `json:"profiles"`
}

// MonthStats are the statistics of a month beside those of the same month a year before. Means are of complete
// months, or of the complete hours of the days so far of a month that is not over.
type MonthStats struct {
	Mean     nhip.Opt[float64] `json:"mean"`
	Min      nhip.Opt[float64] `json:"min"`
	Max      nhip.Opt[float64] `json:"max"`
	Capture  float64           `json:"capture_pct"`
	LastYear nhip.Opt[float64] `json:"last_year_mean"`
	Change   nhip.Opt[float64] `json:"change_pct"` // of the mean since last year
}

// compare sets the change since last year.
func (s *MonthStats) compare() {
	now, ok := s.Mean.Get()
	if before, known := s.LastYear.Get(); ok && known && before > 0 {
		s.Change = nhip.Some(round(100*(now-before)/before, 10))
	}
}

// MonthRow is the statistics of one quantity at one station.
type MonthRow struct {
	Station  string        `json:"station"`
	Name     string        `json:"name,omitempty"`
	Area     string        `json:"area,omitempty"`
	Quantity nhip.Quantity `json:"quantity"`
	Unit     string        `json:"unit"`
	MonthStats
	P98   nhip.Opt[float64] `json:"p98"`
	Flag  nhip.Flag         `json:"flag"`
	Hours int               `json:"hours"` // complete ones
}

// MonthQuantity is the statistics of one quantity over the stations. Means are those of the stations' means.
type MonthQuantity struct {
	Quantity nhip.Quantity `json:"quantity"`
	Unit     string        `json:"unit"`
	Stations int           `json:"stations"` // that measured it
	Complete int           `json:"complete"` // of these, with enough data for a mean
	MonthStats
	MaxStation string `json:"max_station,omitempty"`

	sum, sumBefore float64 // of means
	before         int     // stations with a mean last year among those with one now
	capture        float64 // sum
	both           float64 // sum of the means now of those stations
}

// MonthDay is one day of the calendar: the highest VN_AQI of the stations.
type MonthDay struct {
	Date     string            `json:"date"`
	Index    nhip.Opt[float64] `json:"index"`
	Level    *nhip.AQICategory `json:"level"`
	Dominant nhip.Quantity     `json:"dominant,omitempty"`
	Station  string            `json:"station,omitempty"`
	Stations int               `json:"stations"` // with an index
	Above100 int               `json:"above_100"`
}

// MonthExceedance is the comparison of one average at one station with its limit.
type MonthExceedance struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance
}

// MonthProfile is the mean of each hour of the day, and of each day of the week from Monday, over the stations.
type MonthProfile struct {
	Quantity nhip.Quantity       `json:"quantity"`
	Unit     string              `json:"unit"`
	Diurnal  []nhip.Opt[float64] `json:"diurnal"`
	Weekdays []nhip.Opt[float64] `json:"weekdays"`
}
