package collector

import (
	"nhip/collector/ledger"
	"nhip/internal/journal"
)

// budgetHelp are the texts of the gauges of budgets.
var budgetHelp = map[string]string{
	"sender": "New vehicles and stations that a sender may name in an hour; 0 means no bound.",
	"feed":   "New vehicles and stations that all senders of a feed may name in an hour; 0 means no bound.",
	"rows":   "Rows a second that a sender may send, averaged over a day; 0 means no bound.",
}

func watchJournal(
	gauge func(name, help string, value func() float64), name, what string, stats func() journal.Stats,
) {
	gauge(name+"_bytes", "Size on disk of "+what+", in bytes.",
		func() float64 { return float64(stats().Bytes) })
	gauge(name+"_max_bytes", "Maximum size of "+what+", in bytes.",
		func() float64 { return float64(stats().MaxBytes) })
	gauge(name+"_full", "1 while there is no room for "+what+": no message is acknowledged.",
		func() float64 { return number(stats().Full) })
	gauge(name+"_commits", "Group commits since the start of "+what+".",
		func() float64 { return float64(stats().Commits) })
	gauge(name+"_failures", "Failed commits since the start of "+what+".",
		func() float64 { return float64(stats().Failures) })
	gauge(name+"_lost_records", "Records of "+what+" that can't be read, since the start; processed ones included.",
		func() float64 { return float64(stats().LostRecords) })
	gauge(name+"_missing_records",
		"Records that other files know of and that were missing from "+what+" at the start; processed ones included.",
		func() float64 { return float64(stats().MissingSeqs) })
	gauge(name+"_quarantined_segments", "Damaged segments of "+what+" that are kept for inspection.",
		func() float64 { return float64(stats().QuarantinedSegments) })
}

func watchLedger(gauge func(name, help string, value func() float64), l *ledger.Ledger) {
	gauge("ledger_bytes", "Size of the ledger on disk, in bytes.",
		func() float64 { return float64(l.Stats().Bytes) })
	gauge("ledger_files", "Files of the ledger.",
		func() float64 { return float64(l.Stats().Segments) })
	gauge("ledger_unsaved", "Facts and counts in memory that the next checkpoint saves.",
		func() float64 { s := l.Stats(); return float64(s.Facts + s.Cells) })
	gauge("ledger_devices", "Devices whose latest facts are in memory.",
		func() float64 { return float64(l.Stats().Devices) })
	gauge("ledger_damaged", "Corrupt files of the ledger; their facts are no longer counted.",
		func() float64 { return float64(l.Stats().Damaged) })
	gauge("ledger_unbalanced", "Ledger rows found whose counts do not add up. Any value but 0 is a fault of nhip.",
		func() float64 { return float64(l.Stats().Unbalanced) })
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
