package app

import (
	"nhip"
	"nhip/api"
	"nhip/api/scope"
	"nhip/collector"
	"nhip/internal/airreport"
)

// mails returns how a collector mails scheduled reports; nil without a mail server. Without the configured zones
// nothing is mailed, so that no schedule of a zone stops because of a file.
func (r *runtime) mails(history airreport.History) *collector.Mails {
	if r.conf.Air.Mail.Host == "" {
		return nil
	}
	zones, err := loadZones(&r.conf)
	if err != nil {
		r.log.Error("zones can't be read; scheduled reports are not mailed", "error", err)
		return nil
	}
	mailer := r.mailer()
	return &collector.Mails{
		Mailer: &mailer, Scopes: scopes{api.ZonesNow(zones, r.clock)}, History: history, PublicURL: r.conf.HTTP.PublicURL,
	}
}

// scopes decides what the owners of schedules see, as the api does.
type scopes struct{ scope.Zones }

// Sees implements schedule.Scopes.
func (s scopes) Sees(of nhip.Scope, station *nhip.Station) bool {
	return scope.New(of, s).Station(station)
}
