package records

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// monthly is the monthly report of a station, an area or the network.
type monthly struct {
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

	Quantities  []monthlyQuantity   `json:"quantities"`
	Rows        []monthlyRow        `json:"rows"`
	Calendar    []monthlyDay        `json:"calendar"`
	Exceedances []monthlyExceedance `json:"exceedances"`
	Profiles    []monthlyProfile    `json:"profiles"`
}

// monthlyStats are the statistics of a month beside those of the same month a year before. Means are of complete
// months, or of the complete hours of the days so far of a month that is not over.
type monthlyStats struct {
	Mean     nhip.Opt[float64] `json:"mean"`
	Min      nhip.Opt[float64] `json:"min"`
	Max      nhip.Opt[float64] `json:"max"`
	Capture  float64           `json:"capture_pct"`
	LastYear nhip.Opt[float64] `json:"last_year_mean"`
	Change   nhip.Opt[float64] `json:"change_pct"` // of the mean since last year
}

// compare sets the change since last year.
func (s *monthlyStats) compare() {
	now, ok := s.Mean.Get()
	if before, known := s.LastYear.Get(); ok && known && before > 0 {
		s.Change = nhip.Some(encode.Round(100*(now-before)/before, 10))
	}
}

// monthlyRow is the statistics of one quantity at one station.
type monthlyRow struct {
	Station  string        `json:"station"`
	Name     string        `json:"name,omitempty"`
	Area     string        `json:"area,omitempty"`
	Quantity nhip.Quantity `json:"quantity"`
	Unit     string        `json:"unit"`
	monthlyStats
	P98   nhip.Opt[float64] `json:"p98"`
	Flag  nhip.Flag         `json:"flag"`
	Hours int               `json:"hours"` // complete ones
}

// monthlyQuantity is the statistics of one quantity over the stations. Means are those of the stations' means.
type monthlyQuantity struct {
	Quantity nhip.Quantity `json:"quantity"`
	Unit     string        `json:"unit"`
	Stations int           `json:"stations"` // that measured it
	Complete int           `json:"complete"` // of these, with enough data for a mean
	monthlyStats
	MaxStation string `json:"max_station,omitempty"`

	sum, sumBefore float64 // of means
	before         int     // stations with a mean last year among those with one now
	capture        float64 // sum
	both           float64 // sum of the means now of those stations
}

// monthlyDay is one day of the calendar: the highest VN_AQI of the stations.
type monthlyDay struct {
	Date     string            `json:"date"`
	Index    nhip.Opt[float64] `json:"index"`
	Level    *nhip.AQICategory `json:"level"`
	Dominant nhip.Quantity     `json:"dominant,omitempty"`
	Station  string            `json:"station,omitempty"`
	Stations int               `json:"stations"` // with an index
	Above100 int               `json:"above_100"`
}

// monthlyExceedance is the comparison of one average at one station with its limit.
type monthlyExceedance struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance
}

// monthlyProfile is the mean of each hour of the day, and of each day of the week from Monday, over the stations.
type monthlyProfile struct {
	Quantity nhip.Quantity       `json:"quantity"`
	Unit     string              `json:"unit"`
	Diurnal  []nhip.Opt[float64] `json:"diurnal"`
	Weekdays []nhip.Opt[float64] `json:"weekdays"`
}

// seriesKey identifies the means of one quantity at one station.
type seriesKey struct {
	quantity nhip.Quantity
	station  string
}

func (a seriesKey) compare(b seriesKey) int {
	return cmp.Or(cmp.Compare(a.quantity, b.quantity), cmp.Compare(a.station, b.station))
}

// monthlyReader reads the report of a month.
type monthlyReader struct {
	h        *Handler
	q        *monthlyQuery
	m        *monthly
	stations map[string]*nhip.Station
	zones    map[string]*time.Location
	months   map[seriesKey]nhip.RollupStats
	before   map[seriesKey]nhip.RollupStats               // a year before
	days     map[seriesKey]map[time.Time]nhip.RollupStats // by END
	profiles map[nhip.Quantity]*profileSum
}

// monthly reads the report of a month, from the stored roll-ups.
func (h *Handler) monthly(ctx context.Context, q *monthlyQuery) (*monthly, error) {
	end, now := q.month.AddDate(0, 1, 0), h.Clock.Now()
	m := &monthly{
		Month: q.month.Format("2006-01"), Zone: q.month.Location().String(), From: q.month.UTC(), To: end.UTC(),
		Complete: !end.After(now), Station: q.station, Area: q.area, Level: q.quality, Made: now.UTC().Truncate(time.Second),
		Source: limits.Source, Stations: len(q.stations), Silent: []string{}, Quantities: []monthlyQuantity{},
		Rows: []monthlyRow{}, Calendar: []monthlyDay{}, Exceedances: []monthlyExceedance{}, Profiles: []monthlyProfile{},
	}
	if !m.Complete {
		m.To = now.UTC()
	}
	x := &monthlyReader{
		h: h, q: q, m: m, stations: make(map[string]*nhip.Station), zones: make(map[string]*time.Location),
		months: make(map[seriesKey]nhip.RollupStats), before: make(map[seriesKey]nhip.RollupStats),
		days:     make(map[seriesKey]map[time.Time]nhip.RollupStats),
		profiles: make(map[nhip.Quantity]*profileSum),
	}
	for _, s := range q.stations {
		x.stations[s.ID], x.zones[s.ID] = s, h.Live.Zone(s.ID)
	}
	if err := x.read(ctx); err != nil {
		return nil, err
	}
	x.addRows()
	x.addCalendar()
	x.addProfiles()
	slices.SortFunc(m.Exceedances, func(a, b monthlyExceedance) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity, b.Quantity))
	})
	return m, nil
}

// zoneSlack is by how much the local months of stations in other zones may begin earlier or later.
const zoneSlack = 26 * time.Hour

// read reads the months, the days and the hours.
func (x *monthlyReader) read(ctx context.Context) error {
	year := x.q.month.AddDate(-1, 0, 0)
	for month, into := range map[time.Time]map[seriesKey]nhip.RollupStats{x.q.month: x.months, year: x.before} {
		end := month.AddDate(0, 1, 0)
		err := x.rollups(ctx, nhip.PeriodMonth, end.Add(-zoneSlack), end.Add(zoneSlack), func(k seriesKey, r *nhip.Rollup) {
			into[k] = r.RollupStats
		})
		if err != nil {
			return err
		}
	}
	from, to := x.q.month.Add(-zoneSlack), x.q.month.AddDate(0, 1, 0).Add(zoneSlack)
	err := x.rollups(ctx, nhip.PeriodDay, from, to, func(k seriesKey, r *nhip.Rollup) {
		begin, end := x.month(k.station)
		if !r.Time.After(begin) || r.Time.After(end) {
			return
		}
		if x.days[k] == nil {
			x.days[k] = make(map[time.Time]nhip.RollupStats)
		}
		x.days[k][r.Time] = r.RollupStats
	})
	if err != nil {
		return err
	}
	return x.readHours(ctx, from, to)
}

// month returns the local month of a station.
func (x *monthlyReader) month(station string) (from, to time.Time) {
	zone := x.zones[station]
	from = time.Date(x.q.month.Year(), x.q.month.Month(), 1, 0, 0, 0, 0, zone)
	return from, from.AddDate(0, 1, 0)
}

// rollups calls use for the roll-ups of the report's stations.
func (x *monthlyReader) rollups(ctx context.Context, period string, from, to time.Time,
	use func(seriesKey, *nhip.Rollup),
) error {
	q := influx.RollupQuery{
		Station: x.q.station, Period: period, Quality: x.q.quality, From: from.UTC(), To: to.UTC(), Brief: true,
	}
	return x.h.History.Rollups(ctx, q, func(r influx.RollupRow) error {
		if x.stations[r.Station] != nil {
			use(seriesKey{r.Quantity, r.Station}, &r.Rollup)
		}
		return nil
	})
}

// readHours reads the hours of what has limits, for exceedances and profiles.
func (x *monthlyReader) readHours(ctx context.Context, from, to time.Time) error {
	quantities := limits.Quantities(limits.AverageHour, limits.Average8h, limits.AverageDay, limits.AverageYear)
	ids := x.q.ids()
	if x.q.station != "" {
		ids = []string{x.q.station}
	}
	of := influx.MeanQuery{
		Stations: ids, Quantities: quantities, Period: nhip.PeriodHour, Quality: x.q.quality,
		From: from.Add(-8 * time.Hour).UTC(), To: to.UTC(),
	}
	seen := make(map[seriesKey]bool)
	err := x.h.History.Means(ctx, of, func(s influx.MeanSeries) error {
		if k := (seriesKey{s.Quantity, s.Station}); x.stations[s.Station] != nil {
			seen[k] = true
			x.compare(k, completeMeans(s.Means))
		}
		return nil
	})
	for _, k := range slices.SortedFunc(maps.Keys(x.days), seriesKey.compare) {
		if !seen[k] && slices.Contains(quantities, k.quantity) { // of days that were imported without hours
			x.compare(k, nil)
		}
	}
	return err
}

// compare compares a series with its limits, and adds it to the profiles.
func (x *monthlyReader) compare(k seriesKey, hours []report.Mean) {
	from, end := x.month(k.station)
	if now := x.h.Clock.Now(); now.Before(end) {
		end = now // the rest of the month is not missing yet
	}
	series := report.Series{Hours: hours}
	for _, at := range slices.SortedFunc(maps.Keys(x.days[k]), time.Time.Compare) {
		if day := x.days[k][at]; day.Complete() {
			series.Days = append(series.Days, report.Mean{End: at, Value: day.Mean})
		}
	}
	s := x.stations[k.station]
	for _, e := range report.Exceedances(k.quantity, series, from, end, limitCompleteness) {
		if e.Evaluated > 0 {
			x.m.Exceedances = append(x.m.Exceedances, monthlyExceedance{s.ID, s.Name.In(x.q.lang), s.Area, e})
		}
	}
	within := slices.DeleteFunc(hours, func(m report.Mean) bool { return !m.End.After(from) || m.End.After(end) })
	if len(within) == 0 {
		return
	}
	if x.profiles[k.quantity] == nil {
		x.profiles[k.quantity] = newProfileSum()
	}
	x.profiles[k.quantity].add(within, from.Location())
}

// addRows adds the statistics of each series and of each quantity, and the stations without any.
func (x *monthlyReader) addRows() {
	keys := maps.Clone(x.months)
	for k := range x.days {
		keys[k] = nhip.RollupStats{}
	}
	heard := make(map[string]bool)
	quantities := make(map[nhip.Quantity]*monthlyQuantity)
	byStation := func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.station, b.station), cmp.Compare(a.quantity, b.quantity))
	}
	for _, k := range slices.SortedFunc(maps.Keys(keys), byStation) {
		row := x.row(k)
		heard[k.station] = heard[k.station] || row.Hours > 0
		x.m.Rows = append(x.m.Rows, row)
		if quantities[k.quantity] == nil {
			quantities[k.quantity] = &monthlyQuantity{Quantity: k.quantity, Unit: k.quantity.Unit()}
		}
		quantities[k.quantity].add(&row)
	}
	for _, q := range slices.Sorted(maps.Keys(quantities)) {
		x.m.Quantities = append(x.m.Quantities, quantities[q].finish())
	}
	for _, s := range x.q.stations {
		if !heard[s.ID] {
			x.m.Silent = append(x.m.Silent, s.ID)
		}
	}
}

// row returns the statistics of a series.
func (x *monthlyReader) row(k seriesKey) monthlyRow {
	s := x.stations[k.station]
	row := monthlyRow{
		Station: s.ID, Name: s.Name.In(x.q.lang), Area: s.Area, Quantity: k.quantity, Unit: k.quantity.Unit(),
	}
	stats, ok := x.months[k]
	if !ok {
		from, end := x.month(k.station)
		if now := x.h.Clock.Now(); now.Before(end) {
			end = now
		}
		stats = statsOfDays(x.days[k], end.Sub(from).Hours())
	} else if stats.Count > 0 {
		row.P98 = nhip.Some(stats.P98)
	}
	row.Capture, row.Flag, row.Hours = encode.Round(stats.Capture, 10), stats.Flag, stats.Count
	if stats.Count > 0 {
		row.Min, row.Max = nhip.Some(stats.Min), nhip.Some(stats.Max)
	}
	if stats.Complete() {
		row.Mean = nhip.Some(encode.Round(stats.Mean, 1000))
	}
	if before := x.before[k]; before.Complete() {
		row.LastYear = nhip.Some(encode.Round(before.Mean, 1000))
	}
	row.compare()
	return row
}

// statsOfDays returns the statistics of a month that is not summed up yet, of which a number of hours has passed: those
// of its days, each with the weight of its complete hours.
func statsOfDays(days map[time.Time]nhip.RollupStats, passed float64) nhip.RollupStats {
	s := nhip.RollupStats{Min: math.Inf(1), Max: math.Inf(-1), Flag: nhip.FlagFail}
	sum := 0.0
	for _, d := range days {
		if d.Count == 0 {
			continue
		}
		s.Count += d.Count
		sum += d.Mean * float64(d.Count)
		s.Min, s.Max = min(s.Min, d.Min), max(s.Max, d.Max)
	}
	if s.Count == 0 {
		return s
	}
	share := min(float64(s.Count)/max(passed, 1), 1)
	s.Mean, s.Capture, s.Flag = sum/float64(s.Count), 100*share, nhip.FlagGood
	if share < limitCompleteness {
		s.Flag = nhip.FlagNotEvaluated
	}
	return s
}

func (m *monthlyQuantity) add(row *monthlyRow) {
	m.Stations++
	m.capture += row.Capture
	if low, ok := row.Min.Get(); ok && low < m.Min.Or(math.Inf(1)) {
		m.Min = row.Min
	}
	if top, ok := row.Max.Get(); ok && top > m.Max.Or(math.Inf(-1)) {
		m.Max, m.MaxStation = row.Max, row.Station
	}
	mean, ok := row.Mean.Get()
	if !ok {
		return
	}
	m.Complete++
	m.sum += mean
	if before, ok := row.LastYear.Get(); ok {
		m.before++
		m.both += mean
		m.sumBefore += before
	}
}

// finish returns the statistics over the stations. The change is that of the stations that have a mean of both years:
// else a new station in clean air would look like cleaner air.
func (m *monthlyQuantity) finish() monthlyQuantity {
	m.Capture = encode.Round(m.capture/float64(m.Stations), 10)
	if m.Complete > 0 {
		m.Mean = nhip.Some(encode.Round(m.sum/float64(m.Complete), 1000))
	}
	if m.before > 0 {
		m.LastYear = nhip.Some(encode.Round(m.sumBefore/float64(m.before), 1000))
		if m.sumBefore > 0 {
			m.Change = nhip.Some(encode.Round(100*(m.both-m.sumBefore)/m.sumBefore, 10))
		}
	}
	return *m
}

// addCalendar adds the days of the month that are over, each with the highest daily index of the stations.
func (x *monthlyReader) addCalendar() {
	byDay := make(map[string]map[string]map[nhip.Quantity]nhip.RollupStats) // by date and station
	for k, days := range x.days {
		for end, stats := range days {
			date := end.Add(-time.Nanosecond).In(x.zones[k.station]).Format(time.DateOnly)
			if byDay[date] == nil {
				byDay[date] = make(map[string]map[nhip.Quantity]nhip.RollupStats)
			}
			if byDay[date][k.station] == nil {
				byDay[date][k.station] = make(map[nhip.Quantity]nhip.RollupStats)
			}
			byDay[date][k.station][k.quantity] = stats
		}
	}
	for d := x.q.month; d.Month() == x.q.month.Month() && d.Before(x.h.Clock.Now()); d = d.AddDate(0, 0, 1) {
		day := monthlyDay{Date: d.Format(time.DateOnly)}
		stations := byDay[day.Date]
		for _, id := range slices.Sorted(maps.Keys(stations)) {
			day.add(id, d, stations[id])
		}
		x.m.Calendar = append(x.m.Calendar, day)
	}
}

// add adds the index of a station.
func (d *monthlyDay) add(station string, day time.Time, sums map[nhip.Quantity]nhip.RollupStats) {
	index, ok := aqi.DailyIndexOfStats(nhip.ScaleVNAQI, day, sums)
	if !ok {
		return
	}
	d.Stations++
	if index.Value > 100 {
		d.Above100++
	}
	if index.Value > d.Index.Or(-1) {
		d.Index, d.Level, d.Dominant, d.Station = nhip.Some(index.Value), &index.Category, index.Dominant, station
	}
}
