package rest

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/http"
	"strconv"

	"nhip"
	"nhip/api/quota"
	"nhip/internal/httpserver"
	"nhip/internal/problem"

	"github.com/prometheus/client_golang/prometheus"
)

// RateLimit refuses requests of clients that ask for more than their share, and tells all others what is left of it
// (draft-ietf-httpapi-ratelimit-headers-12). Its admins have no limit.
type RateLimit struct {
	quota    *quota.Quota // nil: no limit
	seed     maphash.Seed
	outcomes map[string]*[len(quota.Outcomes)]prometheus.Counter // by class
}

// NewRateLimit returns the limits of an api.
func NewRateLimit(l quota.Limits, r prometheus.Registerer) *RateLimit {
	limited := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_api_rate_limit_total", Help: "Requests by class of cost and by what the rate limits decided: within " +
			"the client's share, spare (beyond it while the server was idle), or limited (refused with 429).",
	}, []string{"class", "outcome"})
	rates := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "nhip_api_rate_limit_units", Help: "Units a second that a client, a key or all spare requests have; 0: any.",
	}, []string{"of"})
	for of, v := range map[string]float64{"client": l.Client, "key": l.Key, "spare": l.Spare} {
		rates.WithLabelValues(of).Set(v)
	}
	out := &RateLimit{
		quota: quota.New(l), seed: maphash.MakeSeed(),
		outcomes: make(map[string]*[len(quota.Outcomes)]prometheus.Counter),
	}
	known := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_rate_limit_clients", Help: "Clients without a key whose share is known.",
	}, func() float64 { clients, _ := out.quota.Known(); return float64(clients) })
	r.MustRegister(limited, rates, known)
	for _, c := range quota.Classes {
		out.outcomes[c.Name] = new([len(quota.Outcomes)]prometheus.Counter)
		for i, outcome := range quota.Outcomes {
			out.outcomes[c.Name][i] = limited.WithLabelValues(c.Name, outcome)
		}
	}
	return out
}

// Charge is the middleware of requests that cost as much as those of a class; writes have their own. busy is the class
// of admission in which they run; nil: none.
func (l *RateLimit) Charge(cost quota.Class, busy *Class) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if l.quota == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l.Allow(w, r, cost, busy) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// ChargeDraws makes a client pay for what it has drawn, in its next requests: which of them are drawn and which are
// found in the cache is known only afterwards.
func (l *RateLimit) ChargeDraws(draws *Class) {
	if l.quota == nil {
		return
	}
	draws.acquired = func(r *http.Request) {
		if c, limited := l.caller(r); limited {
			l.quota.Charge(&c, quota.Draw.Cost)
			l.outcomes[quota.Draw.Name][quota.Within].Inc()
		}
	}
}

// Allow reports whether a request may be served. It answers those that may not.
func (l *RateLimit) Allow(w http.ResponseWriter, r *http.Request, cost quota.Class, busy *Class) bool {
	if l.quota == nil {
		return true
	}
	c, limited := l.caller(r)
	if !limited {
		return true
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		cost = quota.Write
	}
	d := l.quota.Take(&c, cost.Cost, busy == nil || !busy.busy())
	l.outcomes[cost.Name][d.Outcome].Inc()
	// Tiles of the cache take little more time than their headers do: they are told only when they become few.
	if d.Policy == "" || cost == quota.Cached && 2*d.Left > d.Burst {
		return true
	}
	h := w.Header()
	h.Set("RateLimit-Policy", strconv.Quote(d.Policy)+";q="+strconv.Itoa(d.Burst)+";w="+strconv.Itoa(quota.Seconds))
	if d.Outcome != quota.Limited {
		h.Set("RateLimit", limitItem(d.Policy, d.Left, d.Full))
		return true
	}
	h.Set("RateLimit", limitItem(d.Policy, d.Left, d.Wait))
	refuseLimited(w, r, &d)
	return false
}

func limitItem(policy string, left, seconds int) string {
	return strconv.Quote(policy) + ";r=" + strconv.Itoa(left) + ";t=" + strconv.Itoa(seconds)
}

// caller returns whom a request counts for. It reports false if that one has no limit.
func (l *RateLimit) caller(r *http.Request) (quota.Caller, bool) {
	who := CallerOf(r)
	switch {
	case who.Role == nhip.RoleAdmin:
		return quota.Caller{}, false
	case who.Key != "":
		return quota.Caller{Key: who.Key}, true
	case who.Role != nhip.RolePublic:
		return quota.Caller{Key: "name/" + who.Name}, true
	}
	c := quota.Caller{From: httpserver.ShareAddrPort(r)}
	for _, name := range [...]string{"User-Agent", "Accept-Language"} {
		if text := r.Header[name]; len(text) > 0 {
			c.Agent = c.Agent*31 + maphash.String(l.seed, text[0])
		}
	}
	return c, true
}

// quotaExceeded is the type of the problem, which the draft registers.
const quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// refuseLimited answers 429, held back like that of a full class.
func refuseLimited(w http.ResponseWriter, r *http.Request, d *quota.Decision) {
	body, _ := json.Marshal(struct { // never fails
		problem.Body
		Violated []string `json:"violated-policies"`
	}{problem.Body{
		Type: quotaExceeded, Title: "Too many requests", Status: http.StatusTooManyRequests,
		Detail: fmt.Sprintf("the share of this %s is used up; try again after %d s", d.Policy, d.Wait),
		Code:   nhip.CodeTooMany,
	}, []string{d.Policy}})
	sendRefusal(w, r, http.StatusTooManyRequests, body, d.Wait, briefly)
}
