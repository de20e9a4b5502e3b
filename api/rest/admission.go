package rest

import (
	"encoding/json"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"nhip"
	"nhip/internal/httpserver"
	"nhip/internal/problem"

	"github.com/prometheus/client_golang/prometheus"
)

// Class is a class of requests with the same kind of cost. So many of a class run at a time, a few more wait for
// them, and all others are refused at once: the requests of strangers must leave the processors to the messages of
// devices.
type Class struct {
	name    string
	slots   chan struct{}
	backlog httpserver.Backlog
	most    int               // that wait
	shares  httpserver.Shares // of addresses, of those that run or wait

	refused  prometheus.Counter
	yields   bool // a request waits for others, and needs no work slot of the server
	untilOut bool // a slot is held until the first flush: the rest of the answer is a stream

	backoff  *httpserver.Backoff   // of all classes
	acquired func(r *http.Request) // called with each Acquire; may be nil
}

// Admission holds the classes of all requests.
type Admission struct {
	Cheap   *Class // what needs no search and no encoding of many things
	List    *Class // buses, stations, departures, layers: searched and encoded for each request
	Tile    *Class // drawn once and then cached
	History *Class // read from the database; each address has a share
	Stream  *Class // a snapshot of the city, and then its changes
}

// Requests of a class that run at a time. Work on the processors is bounded near their number, so that it does not
// queue in front of what devices send; the history waits for the database most of the time.
const (
	listsPerCPU   = 2 // twice the work slots: those are what an overload lacks first, and refusing for them is cheaper
	tilesPerCPU   = 1 // that are drawn; those in the cache are served beyond
	cheapPerCPU   = 16
	streamsPerCPU = 8  // starts of streams are short
	historyPerCPU = 2  // the database has the same processors, or a few more; at most maxHistory
	maxHistory    = 12 // of maxQueries: the operator always finds a free one

	waitersPerSlot = 16
	leastWait      = 1 // s, of a refused client
	// Of a request that waits for a slot. A page that draws its first tiles on a slow machine must not be refused; under a
	// flood it is the number of those that wait that bounds them.
	admissionWait = 5 * time.Second
)

// NewAdmission returns the classes for this machine. One address has historyPerAddress requests of the history that
// run or wait; 0 is no limit.
func NewAdmission(historyPerAddress int, backoff *httpserver.Backoff, r prometheus.Registerer) *Admission {
	cpus := runtime.NumCPU()
	a := &Admission{
		Cheap: newClass("cheap", cheapPerCPU*cpus), List: newClass("list", listsPerCPU*cpus),
		Tile: newClass("tile", tilesPerCPU*cpus), History: newClass("history", min(historyPerCPU*cpus, maxHistory)),
		Stream: newClass("stream", streamsPerCPU*cpus),
	}
	a.Stream.untilOut, a.Stream.yields, a.History.yields = true, true, true
	a.History.shares.Limit = historyPerAddress
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_api_refused_total", Help: "Requests that were refused because their class was full, by class.",
	}, []string{"class"})
	running := prometheus.NewDesc("nhip_api_running", "Requests that hold a slot of their class.", []string{"class"}, nil)
	r.MustRegister(refused, &runningRequests{running, a.All()})
	share := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_api_history_per_address", Help: "Requests of the history that one address may have at a time; 0: any.",
	})
	share.Set(float64(historyPerAddress))
	r.MustRegister(share)
	for _, c := range a.All() {
		c.backoff, c.refused = backoff, refused.WithLabelValues(c.name)
	}
	return a
}

// All returns all classes.
func (a *Admission) All() []*Class { return []*Class{a.Cheap, a.List, a.Tile, a.History, a.Stream} }

func newClass(name string, slots int) *Class {
	return &Class{
		name: name, slots: make(chan struct{}, slots), most: slots * waitersPerSlot,
		backlog: httpserver.Backlog{Slots: slots},
	}
}

// runningRequests exports how many slots are taken.
type runningRequests struct {
	desc    *prometheus.Desc
	classes []*Class
}

// Describe implements prometheus.Collector.
func (m *runningRequests) Describe(ch chan<- *prometheus.Desc) { ch <- m.desc }

// Collect implements prometheus.Collector.
func (m *runningRequests) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.classes {
		ch <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(len(c.slots)), c.name)
	}
}

// Acquire takes a slot, which the caller must release. The error of a full class is answered by Responder.Problem
// like the refusals of Admit.
func (c *Class) Acquire(r *http.Request) (release func(), err error) {
	from := httpserver.ShareAddr(r)
	if !c.shares.Take(from) {
		c.refused.Inc()
		return nil, &refusal{errShare, leastWait, briefly}
	}
	if !c.acquire(r) {
		c.shares.Release(from)
		c.refused.Inc()
		return nil, c.refusal()
	}
	if c.acquired != nil {
		c.acquired(r)
	}
	return func() { c.release(); c.shares.Release(from) }, nil
}

// busy reports whether a further request would have to wait.
func (c *Class) busy() bool { return len(c.slots) == cap(c.slots) || c.backlog.Waiting() > 0 }

// acquire takes a slot. It reports false if the class is full: so many requests wait already, or none ended in time.
func (c *Class) acquire(r *http.Request) bool {
	if httpserver.Late(r) {
		return false
	}
	select {
	case c.slots <- struct{}{}:
		if c.yields {
			httpserver.Yield(r)
		}
		return true
	default:
	}
	httpserver.Yield(r)
	if n, tooMany := c.backlog.Add(1, time.Now()); tooMany || n > c.most {
		c.backlog.Add(-1, time.Now())
		return false
	}
	defer func() { c.backlog.Add(-1, time.Now()) }()
	wait := time.NewTimer(admissionWait)
	defer wait.Stop()
	select {
	case c.slots <- struct{}{}:
		return true
	case <-wait.C:
	case <-r.Context().Done():
	}
	return false
}

func (c *Class) release() { <-c.slots }

// Fill takes all slots and all places of those that wait, for tests.
func (c *Class) Fill() {
	for range cap(c.slots) {
		c.slots <- struct{}{}
	}
	c.backlog.Add(c.most, time.Now())
}

// Admit is the middleware of a class. A slot is held until the handler returns, or its client keeps the answer
// waiting.
func (c *Class) Admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.acquire(r) {
			c.refused.Inc()
			refuse(w, r, c.refusal())
			return
		}
		out := httpserver.Wrap(w)
		end := out.HoldUntilWritten(c.release)
		defer end()
		if c.untilOut {
			next.ServeHTTP(&firstFlush{out, end}, r)
			return
		}
		next.ServeHTTP(out, r)
	})
}

// firstFlush calls end with the first Flush.
type firstFlush struct {
	*httpserver.Response

	end func()
}

// Flush implements http.Flusher.
func (f *firstFlush) Flush() {
	f.end()
	f.Response.Flush()
}

// FlushError implements the interface that http.ResponseController prefers.
func (f *firstFlush) FlushError() error {
	f.end()
	return http.NewResponseController(f.Response).Flush()
}

// A refusal is held back before it is sent, not its connection afterwards: a client that sends the next request at
// once would be served late.
const (
	patience = 16 // refusals of a connection; then what exceeds a rate is held as long as it was told to wait, at most:
	mostHold = 5 * time.Second
	briefly  = 100 * time.Millisecond
)

// Errors of refused requests.
var (
	errFull  = nhip.Errorf(nhip.CodeUnavailable, "", "too many requests of this kind are running; try again")
	errShare = nhip.Errorf(nhip.CodeUnavailable, "", "too many history queries of your address are running; try again")
)

// refusal is the error of a full class.
type refusal struct {
	error
	wait int // s
	hold time.Duration
}

func (e *refusal) Unwrap() error { return e.error }

// refusal returns the refusal of a further request.
func (c *Class) refusal() *refusal {
	wait, hold := c.backoff.Next(time.Now())
	return &refusal{errFull, wait, hold}
}

// refuse answers 503.
func refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	body, _ := json.Marshal(problem.Body{ // never fails
		Type: "about:blank", Title: "Not available now", Status: http.StatusServiceUnavailable, Detail: why.Error(),
		Code: nhip.CodeUnavailable,
	})
	sendRefusal(w, r, http.StatusServiceUnavailable, body, why.wait, why.hold)
}

// sendRefusal answers with a problem, after a time: a client that asks again at once would take the processors with
// refusals. seconds is how long it is told to wait.
func sendRefusal(w http.ResponseWriter, r *http.Request, status int, body []byte, seconds int, hold time.Duration) {
	if n := httpserver.Refusals(r); n > 0 {
		if n > patience && status == http.StatusTooManyRequests {
			hold = max(hold, min(time.Duration(seconds)*time.Second, mostHold))
		}
		httpserver.Yield(r)
		if !httpserver.Hold(r, hold) {
			return // the client is gone
		}
	}
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(seconds))
	h.Set("Content-Type", problem.ContentType)
	h.Set("Cache-Control", NoStore)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // fails if the client disconnected
	}
}
