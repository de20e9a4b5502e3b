// Package schedule mails the reports that staff have scheduled. What is due and what was sent is on disk before and
// after each message, so that neither a restart nor a kill loses or repeats one, as far as SMTP allows: a message whose
// acceptance the server could not tell any more is sent again, with the same Message-ID (RFC 1047).
package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/internal/damage"
	"nhip/internal/notify"
	"nhip/internal/recovery"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// Documents are what staff have set.
type Documents interface {
	List(kind string) []nhip.DocumentState
	Find(kind, id string) (nhip.DocumentState, bool)
}

// Mailer hands a message to a mail server.
type Mailer interface {
	Send(ctx context.Context, m *notify.Message) error
}

// Scopes decides what the owner of a schedule sees.
type Scopes interface {
	// Sees reports whether a station is in a scope.
	Sees(scope nhip.Scope, s *nhip.Station) bool
	// HasZone reports whether a zone, named kind/id, is valid now.
	HasZone(zone string) bool
}

// Options are the settings and dependencies of a Sender.
type Options struct {
	Path      string // of its file
	Clock     nhip.Clock
	Zone      *time.Location // of the city
	Documents Documents
	Reports   Reports
	Mailer    Mailer
	Scopes    Scopes
	Stations  func() []*nhip.Station
	Ready     func(ctx context.Context) error // waits until the documents are those of the journal; nil: they are

	Damage   *damage.Log     // reports a damaged file; may be nil
	Guard    *recovery.Guard // counts and logs panics; may be nil
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Timing of mails.
const (
	pollEvery   = 5 * time.Second
	minRetry    = time.Minute
	maxRetry    = time.Hour
	giveUpAfter = 24 * time.Hour // after the time at which a mail was due; one that is older is not begun either
	sendTimeout = 2 * time.Minute
	readTimeout = 5 * time.Minute // for the report
	stopGrace   = 5 * time.Second // for a message that is being sent when the collector stops
	manualPause = 10 * time.Minute
)

// Sender sends the mails of all schedules, one after another. Its methods are safe for concurrent use.
type Sender struct {
	o       Options
	log     *slog.Logger
	metrics *metrics
	wake    chan struct{}

	mu      sync.Mutex // not held over I/O
	entries map[string]*entry
	floor   time.Time // nothing that was due before is sent, because it is not known what was; zero: it is known

	fileMu sync.Mutex // orders the writes of the file
}

// New restores what was sent. It starts to send with Run.
func New(o Options) (*Sender, error) {
	s := &Sender{
		o: o, log: o.Logger.With("component", "schedules"), metrics: newMetrics(o.Registry), wake: make(chan struct{}, 1),
		entries: make(map[string]*entry),
	}
	return s, s.restore()
}

// Run sends what is due until ctx ends, and returns its error.
func (s *Sender) Run(ctx context.Context) error {
	for s.o.Ready != nil && s.o.Ready(ctx) != nil { // what was sent of a schedule must not be forgotten before it is known
		if err := wait.Sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		s.step(ctx)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-tick.C:
		}
	}
	return ctx.Err()
}

// now returns the time in whole milliseconds, as the states tell times.
func (s *Sender) now() time.Time { return s.o.Clock.Now().UTC().Truncate(time.Millisecond) }

// step goes through all schedules once.
func (s *Sender) step(ctx context.Context) {
	docs := s.o.Documents.List(nhip.DocumentSchedule)
	slices.SortFunc(docs, func(a, b nhip.DocumentState) int { return strings.Compare(a.ID, b.ID) })
	owners := s.owners()
	s.forget(docs)
	for i := range docs {
		if ctx.Err() != nil {
			return
		}
		one, err := parse(&docs[i])
		if err != nil {
			s.log.Error("unusable schedule", "schedule", docs[i].ID, "error", err)
			continue
		}
		if s.plan(one, owners) {
			s.attempt(ctx, one, owners)
		}
	}
	if err := s.save(); err != nil {
		s.log.Error("can't save what mails are due", "error", err)
	}
}

// plan brings the entry of a schedule up to date, and reports whether a mail is to be sent now. What is due is on disk
// then.
func (s *Sender) plan(one *scheduled, owners *owners) bool {
	now := s.now()
	s.mu.Lock()
	e := s.entry(one)
	stopped := owners.stopped(one, e, now)
	e.plan(one, stopped, now, s.o.Zone, s.metrics)
	due := e.Job != nil && !e.Job.Next.After(now)
	if due {
		e.Job.postpone(now) // also if this attempt ends with the process
		e.dirty = true
	}
	s.mu.Unlock()
	if !due {
		return false
	}
	if err := s.save(); err != nil {
		s.log.Error("can't save that a mail is due; it is sent once it is saved", "schedule", one.id, "error", err)
		return false
	}
	return true
}

// attempt composes the report and sends it to those who have not got it.
func (s *Sender) attempt(ctx context.Context, one *scheduled, owners *owners) {
	defer s.o.Guard.Recover("schedules", func() { s.failed(one, "the report can't be made; this is a fault of nhip") })
	job, due := s.job(one)
	if !due {
		return
	}
	seen := s.seen(one, owners)
	stations, err := s.stations(one, seen)
	if err != nil {
		s.stop(one, err.Error())
		return
	}
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	mail, err := s.o.Reports.compose(reading, &one.Schedule, job.Due, stations)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			s.failed(one, "the report can't be read: "+err.Error())
		}
		return
	}
	failures := 0
	for _, to := range job.Left {
		if ctx.Err() != nil || failures == maxFailures || !s.unchanged(one, seen) {
			return
		}
		err := s.send(ctx, &notify.Message{
			ID: messageID(one.id, job.Due, to), To: []string{to}, Subject: mail.Subject, Text: mail.Text, HTML: mail.HTML,
			Attachments: []notify.Attachment{{Name: mail.File, Type: "text/csv; charset=utf-8", Data: mail.CSV}},
		})
		if ctx.Err() != nil && err != nil {
			return // it is tried again after the start
		}
		s.sent(one, to, err)
		if err != nil {
			failures++
		}
	}
}

// maxFailures is the number of failures after which the other recipients wait for the next attempt: the server is away.
const maxFailures = 3

// send sends a message. One that is being sent when ctx ends has a moment more, because to break off may be to send it
// twice.
func (s *Sender) send(ctx context.Context, m *notify.Message) error {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel()
		case <-sending.Done():
		}
	})()
	return s.o.Mailer.Send(sending, m)
}

// sent notes the outcome of a message, on disk.
func (s *Sender) sent(one *scheduled, to string, err error) {
	now := s.now()
	s.mu.Lock()
	e := s.entry(one)
	outcome := e.sent(to, err, now)
	s.mu.Unlock()
	s.metrics.mails.WithLabelValues(outcome).Inc()
	if err != nil {
		s.log.Warn("can't send a scheduled report", "schedule", one.id, "outcome", outcome, "error", err)
	}
	if err := s.save(); err != nil {
		s.log.Error("can't save that a report is sent; it may be sent again", "schedule", one.id, "error", err)
	}
}

// failed notes that an attempt has failed before anything was sent.
func (s *Sender) failed(one *scheduled, why string) {
	s.mu.Lock()
	e := s.entry(one)
	e.fail(why, s.now())
	s.mu.Unlock()
	s.metrics.mails.WithLabelValues(outcomeRetried).Inc()
	s.log.Warn("can't make a scheduled report; it is retried", "schedule", one.id, "error", why)
}

// stop ends what is due, because the owner may not have it.
func (s *Sender) stop(one *scheduled, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(one)
	e.Job, e.Stopped, e.dirty = nil, why, true
	s.log.Warn("schedule stopped", "schedule", one.id, "reason", why)
}

// job returns a copy of what is due; ok is false if nothing is.
func (s *Sender) job(one *scheduled) (j job, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.entry(one).Job
	if due == nil {
		return j, false
	}
	j = *due
	j.Left = slices.Clone(j.Left)
	return j, true
}

// seen returns what the owner of a schedule sees now.
func (s *Sender) seen(one *scheduled, owners *owners) nhip.Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return owners.scope(one, s.entry(one))
}

// unchanged reports whether a schedule, and what its owner sees, are still as they were when the report was made. With a
// slow mail server the last recipient comes long after the first. If they are not, the next attempt begins anew.
func (s *Sender) unchanged(one *scheduled, seen nhip.Scope) bool {
	doc, known := s.o.Documents.Find(nhip.DocumentSchedule, one.id)
	if !known || !doc.Exists() || doc.Version != one.version {
		return false
	}
	owners := s.owners()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(one)
	return owners.stopped(one, e, s.now()) == "" && reflect.DeepEqual(owners.scope(one, e), seen)
}

// stations returns the stations of a schedule that its owner sees.
func (s *Sender) stations(one *scheduled, seen nhip.Scope) ([]*nhip.Station, error) {
	var out []*nhip.Station
	for _, station := range s.o.Stations() {
		if (one.Station == "" || station.ID == one.Station) && (one.Area == "" || station.Area == one.Area) &&
			s.o.Scopes.Sees(one.Scope, station) && s.o.Scopes.Sees(seen, station) {
			out = append(out, station)
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case one.Station != "":
		return nil, fmt.Errorf("there is no station %q that the owner sees", one.Station)
	case one.Area != "":
		return nil, fmt.Errorf("no station that the owner sees is in the area %q", one.Area)
	}
	return nil, fmt.Errorf("the owner sees no station")
}
