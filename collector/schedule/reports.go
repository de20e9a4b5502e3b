package schedule

import (
	"context"
	"time"

	"nhip"
	"nhip/internal/airreport"
	"nhip/internal/csvrow"
)

// Reports makes the reports.
type Reports struct {
	Reader    *airreport.Reader
	Zone      *time.Location // of the city
	PublicURL string         // of the api, for links; "": none
	Simulated bool
}

// compose makes the report that is due at a time, of stations by id.
func (r *Reports) compose(
	ctx context.Context, s *nhip.Schedule, due time.Time, stations []*nhip.Station,
) (*airreport.Mail, error) {
	o := airreport.MailOptions{
		Lang: s.Lang, Schedule: s.Name, Area: s.Area, PublicURL: r.PublicURL, Simulated: r.Simulated,
		Now: r.Reader.Clock.Now().In(r.Zone),
	}
	if s.Station != "" {
		o.Station = s.Station
		if name := stations[0].Name.In(s.Lang); name != "" {
			o.Station = name
		}
	}
	today := due.In(r.Zone)
	if s.Report == nhip.ReportExceedances {
		yesterday := time.Date(today.Year(), today.Month(), today.Day()-1, 0, 0, 0, 0, r.Zone)
		return r.exceedances(ctx, yesterday, stations, &o)
	}
	zone := r.Zone
	if s.Station != "" {
		zone = r.Reader.Zone(s.Station)
		today = due.In(zone)
	}
	m, err := r.Reader.Monthly(ctx, &airreport.MonthQuery{
		Station: s.Station, Area: s.Area, Lang: s.Lang, Quality: nhip.QualityReviewed, Stations: stations, Limited: true,
		Month: time.Date(today.Year(), today.Month()-1, 1, 0, 0, 0, 0, zone),
	})
	if err != nil {
		return nil, err
	}
	return m.Mail(&o)
}

// exceedances compares a local day with the limits.
func (r *Reports) exceedances(
	ctx context.Context, day time.Time, stations []*nhip.Station, o *airreport.MailOptions,
) (*airreport.Mail, error) {
	q := airreport.ExceedanceQuery{
		From: day, To: day.AddDate(0, 0, 1), Quality: nhip.QualityReviewed, Lang: o.Lang,
		Stations: make(map[string]*nhip.Station, len(stations)),
	}
	for _, s := range stations {
		q.Stations[s.ID] = s
	}
	var rows []airreport.Exceedance
	csv := []byte(csvrow.ByteOrderMark + airreport.ExceedanceColumns)
	err := r.Reader.Exceedances(ctx, &q, func(e *airreport.Exceedance) error {
		rows = append(rows, *e)
		csv = e.AppendCSV(csv, q.From, q.To, q.Quality)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return airreport.ExceedancesMail(day, len(stations), rows, csv, o)
}
