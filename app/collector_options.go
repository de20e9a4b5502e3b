package app

import (
	"net/http"

	"nhip/collector"
	"nhip/collector/air"
	"nhip/geo/network"
	"nhip/internal/airreport"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/mqtt"
	"nhip/internal/notify"
	"nhip/internal/training"
)

// collectorDB is the database of a collector.
type collectorDB interface {
	collector.Store
	collector.RetentionStore
	collector.MarkerStore
	air.History
	training.History
	airreport.History
}

// collectorOptions returns the options of a collector, alone or among all roles. tracked is what it tracks buses on;
// nil: it tracks none.
func (r *runtime) collectorOptions(broker mqtt.Options, db collectorDB, tracked *network.Network) collector.Options {
	c := &r.conf.Collector
	return collector.Options{
		ID: c.ID, Dir: r.dir.Path("collector"), Feeds: Feeds(&r.conf), Clock: r.clock, Simulated: r.options.Simulate,
		Store: db, Broker: broker, Logger: r.log, Registry: r.registry, Network: tracked, HFP: c.HFP, Late: c.LateWindow,
		Private:      r.conf.Stations.Unknown == fleet.Private,
		JournalBytes: c.JournalBytes, MinFree: c.MinFree, DeadBytes: c.DeadBytes,
		PhotoBytes: c.PhotoBytes, PhotoKeep: c.PhotoKeep,
		Budget: collector.Budget{
			NewDevices: int(c.NewDevices), NewFeedDevices: int(c.NewFeedDevices), RowRate: int(c.RowRate),
		},
		BacklogRate: int(r.conf.Influx.BacklogRate),
		Air:         r.airOptions(db),
		Reminders:   r.reminderOptions(db),
		Mails:       r.mails(db),
		Retention:   collector.Retention(r.conf.Retention), Keeping: db, Markers: db, Damage: r.damaged,
	}
}

// storageChecks returns the checks of what a collector stores. Without them a database that answers would hide that
// nothing gets into it. c returns nil while there is no collector.
func storageChecks(c func() *collector.Collector) []health.Check {
	of := func(fault func(*collector.Collector) string) func() string {
		return func() string {
			if c := c(); c != nil {
				return fault(c)
			}
			return ""
		}
	}
	return []health.Check{
		{Name: "writes", Optional: true, Fault: of((*collector.Collector).WriteFault)},
		{Name: "refused", Optional: true, Fault: of((*collector.Collector).RefusedFault)},
		{Name: "database", Optional: true, Fault: of((*collector.Collector).DatabaseFault)},
	}
}

// newCollector opens a collector. After an error it can be called again.
func (r *runtime) newCollector(o collector.Options) (*collector.Collector, error) {
	trial := &trialRegistry{Registerer: o.Registry}
	o.Registry = trial
	c, err := collector.New(o)
	if err != nil {
		trial.undo()
	}
	return c, err
}

const percent = 100

// airOptions returns how a collector assesses readings and raises alerts.
func (r *runtime) airOptions(history air.History) collector.Air {
	c := &r.conf.Air
	return collector.Air{
		History: history, Zone: location(c.Zone), Completeness: c.Completeness / percent,
		Rules: c.Rules(), Alerts: c.AlertRules(), Deliver: r.deliverers(),
	}
}

// reminderOptions returns how a collector decides and delivers reminders. No redirect of a web hook is followed: what
// is signed for one server is not for another.
func (r *runtime) reminderOptions(history training.History) collector.Reminders {
	client, err := notify.NewWebhookClient(r.outgoing())
	if err != nil { // config.Load has checked the policy
		r.log.Error("no client for web hooks of reminders", "error", err)
		return collector.Reminders{History: history, Lean: r.conf.Predict.Lean, Reach: r.conf.Air.Reach}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return collector.Reminders{
		History: history, Lean: r.conf.Predict.Lean, Reach: r.conf.Air.Reach, Secrets: r.conf.Reminders.Secrets(),
		Client: client,
	}
}

// deliverers returns the configured ways to notify staff of alerts.
func (r *runtime) deliverers() []air.Deliverer {
	var out []air.Deliverer
	if h := r.conf.Air.Webhook; h.URL != "" {
		client, err := notify.NewWebhookClient(r.outgoing())
		if err != nil { // config.Load has checked the policy
			r.log.Error("no client for the webhook; it reaches public addresses only", "error", err)
		}
		out = append(out, &notify.Webhook{URL: h.URL, Secret: h.Secret, Client: client})
	}
	if m := r.conf.Air.Mail; m.Host != "" && len(m.To) > 0 {
		out = append(out, &notify.Mail{
			Mailer: r.mailer(), To: m.To, Zone: location(r.conf.Air.Zone), PublicURL: r.conf.HTTP.PublicURL,
		})
	}
	return out
}

// mailer returns what sends mails through the configured server.
func (r *runtime) mailer() notify.Mailer {
	m := r.conf.Air.Mail
	return notify.Mailer{
		Host: m.Host, Port: int(m.Port), Username: m.Username, Password: m.Password, From: m.From, Plain: m.Plain,
	}
}

// trackOn makes a collector track buses on a new timetable.
func (r *runtime) trackOn(c *collector.Collector, n *network.Network) {
	if err := c.UseTimetable(n); err != nil {
		r.log.Error("new timetable not used to track buses", "error", err)
	}
}
