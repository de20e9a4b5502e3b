package air

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/aqi"
)

// evaluate passes a value of a station to the rules about a measure.
func (p *Processor) evaluate(s *station, measure string, at time.Time, v float64) {
	for i := range p.o.Alerts {
		r := &p.o.Alerts[i]
		if r.Measure != measure || !r.Applies(s.id, s.config.Area) {
			continue
		}
		key := alertKey(r.Name, s.id)
		state := p.alerts.States[key]
		if state == nil {
			state = new(alert.State)
			p.alerts.States[key] = state
		}
		p.alerts.dirty = true
		if state.Observe(r, s.id, at, v) {
			p.addChange(state.Alert)
		}
	}
}

// addChange queues a changed alert for publication and delivery.
func (p *Processor) addChange(a nhip.Alert) {
	p.alerts.changed = append(p.alerts.changed, a)
	for _, d := range p.o.Deliverers {
		p.alerts.Deliveries = append(p.alerts.Deliveries, delivery{To: d.Name(), Alert: a, Made: time.Now()})
	}
	p.metrics.alerts.WithLabelValues(fmt.Sprint(a.Grade)).Inc()
}

// evaluateHour passes the latest hour of a station to the rules: means with a good flag, indices, and the data capture
// of the last day. Hours older than recentHours are ignored: no alert is raised for the past.
func (p *Processor) evaluateHour(s *station, now time.Time) {
	if len(p.o.Alerts) == 0 {
		return
	}
	hours := s.liveHours()
	if hours == nil || now.Sub(hours.End) >= recentHours*time.Hour {
		return
	}
	p.evaluateMeans(s, hours)
	p.evaluateIndices(s, hours)
}

// evaluateMeans passes the means and the data capture of the last day to the rules.
func (p *Processor) evaluateMeans(s *station, hours *nhip.HourlyMeans) {
	end := hourOf(hours.End.UnixMilli())
	captured := 0
	for q, byHour := range s.hourly {
		if stats, ok := byHour[end]; ok && stats.Flag == nhip.FlagGood {
			p.evaluate(s, string(q), hours.End, stats.Mean)
		}
		n := 0
		for h := end - liveHours + 1; h <= end; h++ {
			if stats, ok := byHour[h]; ok && stats.Complete() {
				n++
			}
		}
		captured = max(captured, n)
	}
	if s.first <= end-liveHours+1 { // a new station has no complete day yet
		p.evaluate(s, alert.MeasureCapture, hours.End, 100*float64(captured)/liveHours)
	}
}

// evaluateIndices passes the air quality index of each scale to the rules. It does not use a quantity's latest hour if
// that is suspect.
func (p *Processor) evaluateIndices(s *station, hours *nhip.HourlyMeans) {
	values := make(aqi.Hours, len(hours.Means))
	for q, means := range hours.Means {
		for _, m := range means {
			values[q] = append(values[q], m.Or(math.NaN()))
		}
		if hours.SuspectOf(q) {
			values[q][0] = math.NaN()
		}
	}
	for _, scale := range aqi.Scales() {
		if index, ok := aqi.HourlyIndex(scale, hours.End, values); ok {
			p.evaluate(s, string(scale), hours.End, index.Value)
		}
	}
}

// evaluateClockRules evaluates the rules that depend on the time, for all stations.
func (p *Processor) evaluateClockRules() {
	if len(p.o.Alerts) == 0 {
		return
	}
	for _, s := range p.stationList() {
		p.evaluateNow(s)
	}
}

// evaluateNow passes the time since the last reading to the rules, and the flag of the checks for constant values.
func (p *Processor) evaluateNow(s *station) {
	last, flag := int64(0), nhip.FlagGood
	for i := range s.series {
		n := len(s.series[i].Samples)
		if n == 0 {
			continue
		}
		last = max(last, s.series[i].Samples[n-1].At)
		tests := s.assessments[i][n-1].result.Tests()
		for _, constant := range []string{"flat_line=", "frozen_feed="} {
			if _, grade, found := strings.Cut(tests, constant); found {
				flag = max(flag, nhip.Flag(grade[0]-'0'))
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last == 0 || !s.loaded {
		return
	}
	now := p.o.Clock.Now()
	if s.heard != 0 && last > s.heard {
		last = s.heard // the monitor's clock was ahead
	}
	p.evaluate(s, alert.MeasureFrozen, now, float64(flag))
	p.evaluate(s, alert.MeasureSilent, now, float64(now.UnixMilli()-last)/60_000) // minutes
}

// endRemovedRules drops the states of rules that are not configured any more, and ends their alerts.
func (p *Processor) endRemovedRules() {
	configured := make(map[string]bool)
	for _, r := range p.o.Alerts {
		configured[r.Name] = true
	}
	maps.DeleteFunc(p.alerts.States, func(_ string, s *alert.State) bool {
		if configured[s.Alert.Rule] || s.Alert.Rule == "" {
			return false
		}
		if s.Alert.Grade > 0 {
			s.Alert.Grade, s.Alert.Time = 0, p.o.Clock.Now()
			p.addChange(s.Alert)
		}
		return true
	})
}
