package stafftext

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
)

// Retention prints a line for each stream of the history.
func Retention(out io.Writer, streams []nhip.Retention) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STREAM\tKEPT\tOLDEST\tROWS TO DELETE\tUP TO\tSTATE")
	for i := range streams {
		s := &streams[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n",
			s.Stream, formatKeep(s.Keep), formatDay(s.Oldest), s.Rows, formatDay(s.Until), retentionState(s))
	}
	return w.Flush()
}

func formatKeep(days float64) string {
	if days == 0 {
		return "forever"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", days), ".0") + " days"
}

func formatDay(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

func retentionState(s *nhip.Retention) string {
	switch {
	case s.Deleted:
		return "deleted"
	case s.Held != "":
		return "held: " + s.Held
	case s.Rows > 0:
		return "deleted by nhip retention apply"
	case !s.Next.IsZero():
		return "nothing before " + formatDay(s.Next)
	}
	return "nothing"
}
