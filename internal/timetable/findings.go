package timetable

import (
	"errors"

	"nhip/geo/gtfs"

	"github.com/prometheus/client_golang/prometheus"
)

// CountFindings makes the source publish how many flaws the timetable in use has. The sources of one registry share
// the metric.
func (s *Source) CountFindings(r prometheus.Registerer) {
	s.found = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "nhip_timetable_findings",
		Help: "Flaws of the timetable in use, by severity: error, warning or note.",
	}, []string{"severity"})
	var other prometheus.AlreadyRegisteredError
	if err := r.Register(s.found); errors.As(err, &other) {
		s.found = other.ExistingCollector.(*prometheus.GaugeVec)
	} else if err != nil {
		panic(err) // another metric has the name
	}
}

// count publishes the findings of the timetable in use.
func (s *Source) count(found *gtfs.Findings) {
	if s.found == nil || found == nil {
		return
	}
	for _, severity := range gtfs.Severities {
		s.found.WithLabelValues(string(severity)).Set(float64(found.Count(severity)))
	}
}

// report logs how many findings the i-th timetable has, and the worst of them.
func (s *Source) report(i int, found *gtfs.Findings) {
	if found == nil || len(found.List) == 0 {
		return
	}
	worst := found.Worst()
	s.log.Warn("flaws in the timetable; nhip check --gtfs lists them", "timetable", s.name(i),
		"errors", found.Count(gtfs.SeverityError), "warnings", found.Count(gtfs.SeverityWarning),
		"notes", found.Count(gtfs.SeverityNote), "example", worst.String())
}
