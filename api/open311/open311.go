// Package open311 takes citizens' reports on buses, traffic and the environment: Open311 GeoReport v2, in JSON and XML,
// and the queue in which staff work on them.
package open311

import (
	"context"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/reports"
	"nhip/api/rest"
	"nhip/api/senders"
	"nhip/internal/photo"

	"github.com/prometheus/client_golang/prometheus"
)

// Store sends changes to the collectors. A change returns once it is on disk, or with an *nhip.Error: CodeConflict if
// it was made from another version than the current one, CodeUnavailable if no collector confirms it.
type Store interface {
	// SetReport sets a report. Version 0 is that of a new one.
	SetReport(ctx context.Context, r *nhip.CitizenReport, version int64, by access.Caller) error
	// SetContact sets what names the sender of a report; nil removes it.
	SetContact(ctx context.Context, report string, c *nhip.ReportContact, by access.Caller) error
	// RemoveReport removes a report from the current state.
	RemoveReport(ctx context.Context, id string, by access.Caller) error
}

// Photos keeps the photos of reports. Errors are *nhip.Error; CodeNotFound is that of a photo that is not kept.
type Photos interface {
	Put(ctx context.Context, report string, jpeg []byte) error
	Get(ctx context.Context, report string) ([]byte, error)
	Remove(ctx context.Context, report string) error
}

// Options configure a Handler.
type Options struct {
	Reports *reports.State
	Store   Store
	Photos  Photos
	Around  Surroundings
	Callers access.Authenticator // finds the app of an api_key
	Clock   nhip.Clock
	Zone    *time.Location // of the times in answers; nil is UTC
	Limits  Limits
	Keep    time.Duration   // how long contacts are kept; for the metric, see Retention
	Secret  string          // signs the tokens of the form; "": a random one
	Closed  <-chan struct{} // closed when the api stops: ends the streams
	Metrics prometheus.Registerer
	rest.Responder
}

// Handler answers /open311/v2 and /v1/queue.
type Handler struct {
	Options

	tokens   *senders.Tokens
	limiter  *limiter
	repeats  repeats
	uploads  uploads
	pictures *photo.Processor
	taken    *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

// New returns a handler.
func New(o Options) *Handler {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	h := &Handler{
		Options: o, tokens: senders.NewTokens(o.Secret, "/open311/v2/form", ""),
		limiter: newLimiter(o.Limits), pictures: photo.NewProcessor(),
		uploads: newUploads(),
		taken: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_reports_total", Help: "Reports of citizens that were taken, by service.",
		}, []string{"service"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_reports_refused_total", Help: "Reports of citizens that were refused, by the code of the error.",
		}, []string{"code"}),
	}
	bound := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "nhip_api_reports_per_hour_max", Help: "Reports taken within an hour, of one address and in all; 0: any.",
	}, []string{"of"})
	bound.WithLabelValues("address").Set(float64(o.Limits.PerAddress))
	bound.WithLabelValues("all").Set(float64(o.Limits.PerHour))
	keep := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_api_report_contact_keep_seconds", Help: "How long what names a sender is kept; 0: for ever.",
	})
	keep.Set(o.Keep.Seconds())
	kept := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_reports", Help: "Reports of citizens in the current state, open and closed.",
	}, func() float64 { n, _ := o.Reports.Len(); return float64(n) })
	contacts := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_report_contacts", Help: "Reports whose sender is still named.",
	}, func() float64 { _, n := o.Reports.Len(); return float64(n) })
	o.Metrics.MustRegister(h.taken, h.refused, bound, keep, kept, contacts)
	return h
}
