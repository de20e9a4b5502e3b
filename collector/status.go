package collector

import (
	"fmt"
	"time"

	"nhip/collector/deadletter"

	"github.com/prometheus/client_golang/prometheus"
)

// watch registers gauges of the collector's parts.
func (c *Collector) watch(r prometheus.Registerer) {
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "nhip_collector_" + name, Help: help}, value))
	}
	watchJournal(gauge, "journal", "the intake journal", c.intake.Stats)
	watchJournal(gauge, "outbox", "the outbox, which holds rows to write to the database", c.outbox.Stats)
	gauge("journal_unjudged", "Records of the intake journal that are not classified yet.",
		func() float64 { return float64(c.dedup.behind()) })
	gauge("outbox_pending", "Records of the outbox that are not in the database.",
		func() float64 { return float64(c.writer.pending()) })
	gauge("backlog_max_rows_per_second", "Maximum rate of backlog rows written to the database; 0 means no limit.",
		c.writer.backlogRate)
	gauge("dead_bytes", "Size of the dead letters on disk, in bytes.",
		func() float64 { return float64(deadletter.Size(c.deadDir)) })
	gauge("dead_max_bytes", "Maximum size of the dead letters in bytes; the oldest day is deleted first.",
		func() float64 { return float64(c.maxDeadBytes) })
	gauge("refused_rows", "Rows that the database refused and that are not replayed yet, as dead letters.",
		func() float64 { return float64(c.refused.Unreplayed()) })
	gauge("known_series", "Series of vehicles and stations that have been accepted before; others count as new.",
		func() float64 { return float64(c.budget.size()) })
	for name, bound := range map[string]int{
		"sender": c.budget.NewDevices, "feed": c.budget.NewFeedDevices, "rows": c.budget.RowRate,
	} {
		gauge("budget_"+name, budgetHelp[name], func() float64 { return float64(bound) })
	}
	gauge("write_fault", "1 while accepted rows do not reach the database; /readyz says why.",
		func() float64 { return number(c.WriteFault() != "") })
	gauge("database_replaced", "1 while the database lacks what was stored in it; /readyz says what.",
		func() float64 { return number(c.DatabaseFault() != "") })
	watchLedger(gauge, c.ledger)
}

// WriteFault returns why accepted facts do not reach the database, in the database's own words, or "" if they do or if
// that has lasted for a few seconds only.
func (c *Collector) WriteFault() string { return c.writer.writeFault(time.Now(), faultGrace) }

// DatabaseFault returns why the database does not have what was stored in it, or "" if it has.
func (c *Collector) DatabaseFault() string {
	if c.marker == nil {
		return ""
	}
	return c.marker.fault()
}

// RefusedFault returns how many accepted rows the database has refused and are not replayed, or "" if there are none.
func (c *Collector) RefusedFault() string {
	n := c.refused.Unreplayed()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("InfluxDB refused %d rows, which are kept as dead letters: see nhip dead list --code refused", n)
}
