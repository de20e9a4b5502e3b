// Package stafftext formats what the API answers its operators (dead letters, the ledger, devices, retention) as text
// for a terminal: tables with a header, and one value on each line where there is only one thing to show. Times are
// UTC.
package stafftext

import "time"

// stamp formats a time for tables.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
