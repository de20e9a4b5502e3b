package audit

import (
	"fmt"
	"time"

	"nhip"
	"nhip/geo/report"
)

// Reading is a stored reading.
type Reading struct {
	Quantity  nhip.Quantity
	Time      time.Time // END
	Period    time.Duration
	Raw       float64
	Device    nhip.Flag         // flag of the device
	Flag      nhip.Flag         // of the automatic checks
	Tests     string            // checks that were not passed: "spike=4,humidity=3"
	Corrected nhip.Opt[float64] // unknown if the reading failed
	Final     nhip.Opt[float64] // after reviews; unknown if it is excluded or failed
	FinalFlag nhip.Flag
}

// Served is what the platform serves of the span at one quality.
type Served struct {
	Quality     nhip.Quality
	Rollups     []nhip.Rollup
	Indices     []nhip.AQI // hourly and daily, of all scales
	Exceedances []report.Exceedance
}

// Station is what is audited: whole local days of a station.
type Station struct {
	Zone         *time.Location
	Reference    bool
	ReportEvery  time.Duration // interval of reports where it is longer than the averaging period
	Completeness float64       // share of values that a mean needs
	From, To     time.Time     // local midnights: From is the begin of the first day, To the end of the last
	Until        time.Time     // results that end later may not be computed yet
	Readings     []Reading     // from Lookback before From to Lookahead after To
	Served       []Served
}

// Lookback is how long before a span its first results need readings: a day for the means over 24 hours, and eight
// hours for the 8-hour means.
const Lookback = 33 * time.Hour

// Lookahead is how long after a span the flags of its last readings may depend on others: a value that does not change
// is flagged once it has lasted for long enough.
const Lookahead = maxLasting

// Difference is a result that differs.
type Difference struct {
	Kind     string // "flag", "1h", "1d", "1mo", "index" or "exceedance"
	Quality  nhip.Quality
	Quantity nhip.Quantity // of an index, the dominant one
	Time     time.Time     // END
	What     string        // the field, or the scale and rule of an index
	Served   string
	Computed string
}

func (d *Difference) String() string {
	return fmt.Sprintf("%s %s %s %s %s: served %s, computed %s", d.Time.UTC().Format(time.RFC3339), d.Kind, d.Quality,
		d.Quantity, d.What, d.Served, d.Computed)
}

// Report is the result of an audit.
type Report struct {
	Differences []Difference // in the order of time
	Flags       int          // readings whose flag was compared
	Rollups     int
	Indices     int
	Exceedances int
}

func (r *Report) add(d Difference) { r.Differences = append(r.Differences, d) }
