package stafftext

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"nhip"
	"nhip/client"
)

// DeadLetters prints a line for each dead letter.
func DeadLetters(w io.Writer, letters []nhip.DeadLetter) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(w, "no dead letters")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tRECEIVED\tDEVICE\tCODE\tWHY\tREPLAYED")
	for i := range letters {
		l := &letters[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			client.DeadLetterName(l), stamp(l.Received), l.Device, l.Code, letterReason(l), replayState(l))
	}
	return table.Flush()
}

func letterReason(l *nhip.DeadLetter) string {
	return (&nhip.Error{Field: l.Field, Rule: l.Rule}).Error()
}

// replayState describes the last replay of a letter.
func replayState(l *nhip.DeadLetter) string {
	switch r := l.Replay; {
	case r == nil:
		return ""
	case r.Code == "":
		return "passed " + stamp(r.Time)
	default:
		return fmt.Sprintf("%s again %s", r.Code, stamp(r.Time))
	}
}

// DeadLetter prints what is known of a letter, a line for each value.
func DeadLetter(to io.Writer, l *nhip.DeadLetter) error {
	unkept := ""
	if l.Unkept > 0 {
		unkept = strconv.Itoa(l.Unkept)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", client.DeadLetterName(l)},
		{"received", stamp(l.Received)},
		{"topic", l.Topic},
		{"device", l.Device},
		{"code", string(l.Code)},
		{"why", letterReason(l)},
		{"rows", strconv.Itoa(l.Rows)},
		{"decoder", l.Decoder},
		{"bytes", strconv.Itoa(l.Size)},
		{"not kept before", unkept},
		{"replayed", replayState(l)},
		{"row", l.LineProtocol},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
		}
	}
	return w.Flush()
}
