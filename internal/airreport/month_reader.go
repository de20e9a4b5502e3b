package airreport

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// seriesKey identifies the means of one quantity at one station.
type seriesKey struct {
	quantity nhip.Quantity
	station  string
}

func (a seriesKey) compare(b seriesKey) int {
	return cmp.Or(cmp.Compare(a.quantity, b.quantity), cmp.Compare(a.station, b.station))
}

// monthReader reads the report of a month.
type monthReader struct {
	r        *Reader
	q        *MonthQuery
	m        *Monthly
	stations map[string]*nhip.Station
	zones    map[string]*time.Location
	months   map[seriesKey]nhip.RollupStats
	before   map[seriesKey]nhip.RollupStats               // a year before
	days     map[seriesKey]map[time.Time]nhip.RollupStats // by END
	profiles map[nhip.Quantity]*profileSum
}

// Monthly reads the report of a month, from the stored roll-ups.
func (r *Reader) Monthly(ctx context.Context, q *MonthQuery) (*Monthly, error) {
	end, now := q.Month.AddDate(0, 1, 0), r.Clock.Now()
	m := &Monthly{
		Month: q.Month.Format("2006-01"), Zone: q.Month.Location().String(), From: q.Month.UTC(), To: end.UTC(),
		Complete: !end.After(now), Station: q.Station, Area: q.Area, Level: q.Quality, Made: now.UTC().Truncate(time.Second),
		Source: limits.Source, Stations: len(q.Stations), Silent: []string{}, Quantities: []MonthQuantity{},
		Rows: []MonthRow{}, Calendar: []MonthDay{}, Exceedances: []MonthExceedance{}, Profiles: []MonthProfile{},
	}
	if !m.Complete {
		m.To = now.UTC()
	}
	x := &monthReader{
		r: r, q: q, m: m, stations: make(map[string]*nhip.Station), zones: make(map[string]*time.Location),
		months: make(map[seriesKey]nhip.RollupStats), before: make(map[seriesKey]nhip.RollupStats),
		days:     make(map[seriesKey]map[time.Time]nhip.RollupStats),
		profiles: make(map[nhip.Quantity]*profileSum),
	}
	for _, s := range q.Stations {
		x.stations[s.ID], x.zones[s.ID] = s, r.Zone(s.ID)
	}
	if err := x.read(ctx); err != nil {
		return nil, err
	}
	x.addRows()
	x.addCalendar()
	x.addProfiles()
	slices.SortFunc(m.Exceedances, func(a, b MonthExceedance) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity, b.Quantity))
	})
	return m, nil
}

// zoneSlack is by how much the local months of stations in other zones may begin earlier or later.
const zoneSlack = 26 * time.Hour

// read reads the months, the days and the hours.
func (x *monthReader) read(ctx context.Context) error {
	year := x.q.Month.AddDate(-1, 0, 0)
	for month, into := range map[time.Time]map[seriesKey]nhip.RollupStats{x.q.Month: x.months, year: x.before} {
		end := month.AddDate(0, 1, 0)
		err := x.rollups(ctx, nhip.PeriodMonth, end.Add(-zoneSlack), end.Add(zoneSlack), func(k seriesKey, r *nhip.Rollup) {
			into[k] = r.RollupStats
		})
		if err != nil {
			return err
		}
	}
	from, to := x.q.Month.Add(-zoneSlack), x.q.Month.AddDate(0, 1, 0).Add(zoneSlack)
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
func (x *monthReader) month(station string) (from, to time.Time) {
	zone := x.zones[station]
	from = time.Date(x.q.Month.Year(), x.q.Month.Month(), 1, 0, 0, 0, 0, zone)
	return from, from.AddDate(0, 1, 0)
}

// rollups calls use for the roll-ups of the report's stations.
func (x *monthReader) rollups(ctx context.Context, period string, from, to time.Time,
	use func(seriesKey, *nhip.Rollup),
) error {
	q := influx.RollupQuery{
		Station: x.q.Station, Period: period, Quality: x.q.Quality, From: from.UTC(), To: to.UTC(), Brief: true,
	}
	return x.r.History.Rollups(ctx, q, func(r influx.RollupRow) error {
		if x.stations[r.Station] != nil {
			use(seriesKey{r.Quantity, r.Station}, &r.Rollup)
		}
		return nil
	})
}

// readHours reads the hours of what has limits, for exceedances and profiles.
func (x *monthReader) readHours(ctx context.Context, from, to time.Time) error {
	quantities := limits.Quantities(limits.AverageHour, limits.Average8h, limits.AverageDay, limits.AverageYear)
	of := influx.MeanQuery{
		Stations: x.q.ids(), Quantities: quantities, Period: nhip.PeriodHour, Quality: x.q.Quality,
		From: from.Add(-8 * time.Hour).UTC(), To: to.UTC(),
	}
	seen := make(map[seriesKey]bool)
	err := x.r.History.Means(ctx, of, func(s influx.MeanSeries) error {
		if k := (seriesKey{s.Quantity, s.Station}); x.stations[s.Station] != nil {
			seen[k] = true
			x.compare(k, CompleteMeans(s.Means))
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
func (x *monthReader) compare(k seriesKey, hours []report.Mean) {
	from, end := x.month(k.station)
	if now := x.r.Clock.Now(); now.Before(end) {
		end = now // the rest of the month is not missing yet
	}
	series := report.Series{Hours: hours}
	for _, at := range slices.SortedFunc(maps.Keys(x.days[k]), time.Time.Compare) {
		if day := x.days[k][at]; day.Complete() {
			series.Days = append(series.Days, report.Mean{End: at, Value: day.Mean})
		}
	}
	s := x.stations[k.station]
	for _, e := range report.Exceedances(k.quantity, series, from, end, LimitCompleteness) {
		if e.Evaluated > 0 {
			x.m.Exceedances = append(x.m.Exceedances, MonthExceedance{s.ID, s.Name.In(x.q.Lang), s.Area, e})
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
func (x *monthReader) addRows() {
	keys := maps.Clone(x.months)
	for k := range x.days {
		keys[k] = nhip.RollupStats{}
	}
	heard := make(map[string]bool)
	quantities := make(map[nhip.Quantity]*MonthQuantity)
	byStation := func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.station, b.station), cmp.Compare(a.quantity, b.quantity))
	}
	for _, k := range slices.SortedFunc(maps.Keys(keys), byStation) {
		row := x.row(k)
		heard[k.station] = heard[k.station] || row.Hours > 0
		x.m.Rows = append(x.m.Rows, row)
		if quantities[k.quantity] == nil {
			quantities[k.quantity] = &MonthQuantity{Quantity: k.quantity, Unit: k.quantity.Unit()}
		}
		quantities[k.quantity].add(&row)
	}
	for _, q := range slices.Sorted(maps.Keys(quantities)) {
		x.m.Quantities = append(x.m.Quantities, quantities[q].finish())
	}
	for _, s := range x.q.Stations {
		if !heard[s.ID] {
			x.m.Silent = append(x.m.Silent, s.ID)
		}
	}
}

// row returns the statistics of a series.
func (x *monthReader) row(k seriesKey) MonthRow {
	s := x.stations[k.station]
	row := MonthRow{
		Station: s.ID, Name: s.Name.In(x.q.Lang), Area: s.Area, Quantity: k.quantity, Unit: k.quantity.Unit(),
	}
	stats, ok := x.months[k]
	if !ok {
		from, end := x.month(k.station)
		if now := x.r.Clock.Now(); now.Before(end) {
			end = now
		}
		stats = statsOfDays(x.days[k], end.Sub(from).Hours())
	} else if stats.Count > 0 {
		row.P98 = nhip.Some(stats.P98)
	}
	row.Capture, row.Flag, row.Hours = round(stats.Capture, 10), stats.Flag, stats.Count
	if stats.Count > 0 {
		row.Min, row.Max = nhip.Some(stats.Min), nhip.Some(stats.Max)
	}
	if stats.Complete() {
		row.Mean = nhip.Some(round(stats.Mean, 1000))
	}
	if before := x.before[k]; before.Complete() {
		row.LastYear = nhip.Some(round(before.Mean, 1000))
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
	if share < LimitCompleteness {
		s.Flag = nhip.FlagNotEvaluated
	}
	return s
}

func (m *MonthQuantity) add(row *MonthRow) {
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
func (m *MonthQuantity) finish() MonthQuantity {
	m.Capture = round(m.capture/float64(m.Stations), 10)
	if m.Complete > 0 {
		m.Mean = nhip.Some(round(m.sum/float64(m.Complete), 1000))
	}
	if m.before > 0 {
		m.LastYear = nhip.Some(round(m.sumBefore/float64(m.before), 1000))
		if m.sumBefore > 0 {
			m.Change = nhip.Some(round(100*(m.both-m.sumBefore)/m.sumBefore, 10))
		}
	}
	return *m
}

// addCalendar adds the days of the month that are over, each with the highest daily index of the stations.
func (x *monthReader) addCalendar() {
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
	for d := x.q.Month; d.Month() == x.q.Month.Month() && d.Before(x.r.Clock.Now()); d = d.AddDate(0, 0, 1) {
		day := MonthDay{Date: d.Format(time.DateOnly)}
		stations := byDay[day.Date]
		for _, id := range slices.Sorted(maps.Keys(stations)) {
			day.add(id, d, stations[id])
		}
		x.m.Calendar = append(x.m.Calendar, day)
	}
}

// add adds the index of a station.
func (d *MonthDay) add(station string, day time.Time, sums map[nhip.Quantity]nhip.RollupStats) {
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
