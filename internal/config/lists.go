package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"nhip/geo/alert"
	"nhip/geo/qc"
	"nhip/internal/settings"

	"github.com/goccy/go-yaml/ast"
)

// read sets the values in the text of a file.
func (e *Effective) read(path string, raw []byte) {
	f := settings.NewFile(path)
	f.Read(raw, e.settings(), settings.Lists{
		{Key: feedsKey, Read: func(n ast.Node) { e.readFeeds(f, n) }},
		{Key: pullsKey, Read: func(n ast.Node) { e.readPulls(f, n) }},
		{Key: sourcesKey, Read: func(n ast.Node) { e.readSources(f, n) }},
		{Key: hooksKey, Read: func(n ast.Node) { e.readReminderHosts(f, n) }},
		{Key: zonesKey, Read: func(n ast.Node) { e.readZones(f, n) }},
		{Key: alertsKey, Read: func(n ast.Node) { e.readAlerts(f, n) }},
		{Key: rulesKey, Read: func(n ast.Node) { e.readRules(f, n) }},
		{Key: checksKey, Read: func(n ast.Node) { e.readChecks(f, n) }},
	})
	for key, at := range f.Positions {
		e.positions[key] = at
	}
	e.faults = append(e.faults, f.Faults...)
}

// readFeeds replaces the default feeds by those of the file.
func (e *Effective) readFeeds(f *settings.File, n ast.Node) {
	items, ok := f.Items(feedsKey, n)
	if !ok || items == nil {
		return
	}
	if len(items) == 0 {
		f.RefuseAt(n, feedsKey, "must contain at least one feed")
		return
	}
	e.Feeds = make([]Feed, len(items))
	for i, item := range items {
		e.readFeed(f, i, item)
	}
}

func (e *Effective) readFeed(f *settings.File, i int, item ast.Node) {
	prefix := prefix(feedsKey, i)
	if !f.Section(prefix, item, e.Feeds[i].settings(prefix), nil) {
		return
	}
	f.Require(item, required(prefix)...)
	name := e.Feeds[i].Name
	if j := slices.IndexFunc(e.Feeds[:i], func(other Feed) bool { return name != "" && other.Name == name }); j >= 0 {
		f.Refuse(prefix+"name", fmt.Sprintf("is already the name of feeds[%d]", j))
	}
	topic := e.Feeds[i].Topic
	sameTopic := func(other Feed) bool { return topic != "" && other.Topic == topic }
	if j := slices.IndexFunc(e.Feeds[:i], sameTopic); j >= 0 {
		f.Refuse(prefix+"topic", fmt.Sprintf("is already the topic of feeds[%d], which receives all its messages", j))
	}
}

// defaultPullEvery is the default interval between the requests of a pull.
const defaultPullEvery = 15 * time.Second

func (e *Effective) readPulls(f *settings.File, n ast.Node) {
	items, _ := f.Items(pullsKey, n)
	if len(items) == 0 {
		return
	}
	e.Pulls = make([]Pull, len(items))
	for i, item := range items {
		p := &e.Pulls[i]
		p.Every = defaultPullEvery
		prefix := prefix(pullsKey, i)
		if !f.Section(prefix, item, p.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"name", prefix+"url")
		if j := slices.IndexFunc(e.Pulls[:i], func(other Pull) bool { return p.Name != "" && other.Name == p.Name }); j >= 0 {
			f.Refuse(prefix+"name", fmt.Sprintf("is already the name of pulls[%d]", j))
		}
	}
}

func (e *Effective) readSources(f *settings.File, n ast.Node) {
	items, _ := f.Items(sourcesKey, n)
	if len(items) == 0 {
		return
	}
	e.Sources = make([]Source, len(items))
	for i, item := range items {
		s := &e.Sources[i]
		prefix := prefix(sourcesKey, i)
		if !f.Section(prefix, item, s.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"name", prefix+"url", prefix+"queue", prefix+"format")
		sameVariable := func(other Source) bool {
			return s.Name != "" && other.passwordVariable() == s.passwordVariable()
		}
		if j := slices.IndexFunc(e.Sources[:i], sameVariable); j >= 0 {
			f.Refuse(prefix+"name", fmt.Sprintf("must differ from the name of sources[%d] in letters or digits", j))
		}
		if s.CA != "" && !strings.HasPrefix(s.URL, "amqps:") {
			f.Refuse(prefix+"ca", "has no effect without amqps:// in url")
		}
	}
}

func (e *Effective) readZones(f *settings.File, n ast.Node) {
	items, _ := f.Items(zonesKey, n)
	if len(items) == 0 {
		return
	}
	e.Zones = make([]Zones, len(items))
	for i, item := range items {
		z := &e.Zones[i]
		prefix := prefix(zonesKey, i)
		if !f.Section(prefix, item, z.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"file", prefix+"kind")
		if !z.From.IsZero() && !z.To.IsZero() && !z.From.Before(z.To) {
			f.Refuse(prefix+"to", "must be later than from")
		}
	}
}

func (e *Effective) readChecks(f *settings.File, n ast.Node) {
	items, _ := f.Items(checksKey, n)
	if len(items) == 0 {
		return
	}
	e.Air.Checks = make([]Check, len(items))
	for i, item := range items {
		e.readCheck(f, &e.Air.Checks[i], prefix(checksKey, i), item)
	}
}

// readCheck reads the changes of one check. It refuses limits that the check does not use.
func (e *Effective) readCheck(f *settings.File, c *Check, prefix string, item ast.Node) {
	for _, v := range c.Limits.Fields() {
		*v = math.NaN()
	}
	if !f.Section(prefix, item, c.settings(prefix), nil) {
		return
	}
	f.Require(item, prefix+"check")
	check, known := qc.ParseCheck(c.Check)
	if !known {
		return
	}
	for _, name := range c.limitNames() {
		if !slices.Contains(check.Parameters(), name) {
			f.Refuse(prefix+name, fmt.Sprintf("is not a limit of %s (%s)", check, strings.Join(check.Parameters(), ", ")))
		}
	}
	if len(c.limitNames()) == 0 && !c.Off {
		f.Refuse(prefix+"check", "needs a limit, or off: true")
	}
}

func (e *Effective) readAlerts(f *settings.File, n ast.Node) {
	items, _ := f.Items(alertsKey, n)
	if len(items) == 0 {
		return
	}
	e.Air.Alerts = make([]Alert, len(items))
	for i, item := range items {
		a := &e.Air.Alerts[i]
		a.Tendency, a.Preparing, a.Exceed = math.NaN(), math.NaN(), math.NaN()
		prefix := prefix(alertsKey, i)
		if !f.Section(prefix, item, a.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"name", prefix+"measure")
		sameName := func(other Alert) bool { return a.Name != "" && other.Name == a.Name }
		if j := slices.IndexFunc(e.Air.Alerts[:i], sameName); j >= 0 {
			f.Refuse(prefix+"name", fmt.Sprintf("is already the name of air.alerts[%d]", j))
		}
		e.checkGrades(f, a, prefix)
	}
}

// checkGrades refuses an alert without a threshold, and thresholds that do not rise from grade to grade. Those of the
// measure capture must fall.
func (e *Effective) checkGrades(f *settings.File, a *Alert, prefix string) {
	last, set := math.NaN(), 0
	for _, g := range []struct {
		key   string
		value float64
	}{{"tendency", a.Tendency}, {"preparing", a.Preparing}, {"exceed", a.Exceed}} {
		if math.IsNaN(g.value) {
			continue
		}
		if rises := g.value > last; set > 0 && rises == (a.Measure == alert.MeasureCapture) || g.value == last {
			f.Refuse(prefix+g.key, "must be beyond the threshold of the previous grade")
		}
		last, set = g.value, set+1
	}
	if set == 0 && a.Name != "" {
		f.Refuse(prefix+"name", "needs a threshold: tendency, preparing or exceed")
	}
}
