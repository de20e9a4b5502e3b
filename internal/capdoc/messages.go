package capdoc

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// Timing of the messages of an alert.
const (
	// Lasts is how long a message is valid (expires).
	Lasts = 24 * time.Hour
	// renewAfter is the age of a message at which an alert that lasts is told again, long before the message expires.
	renewAfter = 12 * time.Hour
	// maxRenewals bounds the messages of a grade: an alert of a station that nobody serves any more expires after a month.
	maxRenewals = 60
)

// maxReferences is the number of earlier messages that a message names, the first one and the newest.
const maxReferences = 32

// AlertMessage says which message about an alert was sent when. It follows from the alert alone, so that every api
// tells the same messages, also after a start.
type AlertMessage struct {
	Identifier string
	Sent       time.Time
	Type       string           // MsgAlert, MsgUpdate or MsgCancel
	Change     nhip.AlertChange // that the message tells
	Renewal    bool             // the alert lasts unchanged
	Known      bool             // false: an older collector did not keep the change
}

// Messages returns the messages about an alert until now, oldest first: one for each change of its grade, and one every
// twelve hours while it lasts. There is at least one.
func Messages(a *nhip.Alert, now time.Time) []AlertMessage {
	var out []AlertMessage
	add := func(m AlertMessage) {
		m.Identifier = Name(a.ID) + "." + strconv.FormatInt(m.Sent.UnixMilli(), 10)
		m.Type = MsgUpdate
		switch {
		case len(out) == 0:
			m.Type = MsgAlert
		case m.Change.Grade == 0:
			m.Type = MsgCancel
		}
		out = append(out, m)
	}
	changes := a.Changes
	if len(changes) == 0 {
		changes = []nhip.AlertChange{{Time: a.Time, Grade: a.Grade, Value: a.Value, Threshold: a.Threshold}}
	}
	if a.Since.Before(changes[0].Time) {
		add(AlertMessage{Sent: a.Since})
	}
	for i, c := range changes {
		add(AlertMessage{Sent: c.Time, Change: c, Known: true})
		until := now
		switch {
		case i+1 < len(changes):
			until = changes[i+1].Time
		case c.Grade == 0:
			continue
		}
		if i == 0 && len(changes) >= nhip.MaxAlertChanges {
			continue // what followed is forgotten
		}
		for n := 1; n <= maxRenewals; n++ {
			sent := c.Time.Add(time.Duration(n) * renewAfter)
			if !sent.Before(until) {
				break
			}
			add(AlertMessage{Sent: sent, Change: c, Renewal: true, Known: true})
		}
	}
	return out
}

// earlier returns the messages that the last one replaces: the first, and those that have not expired.
func earlier(messages []AlertMessage) []AlertMessage {
	last := messages[len(messages)-1]
	before := messages[:len(messages)-1]
	if len(before) == 0 {
		return nil
	}
	out := []AlertMessage{before[0]}
	for _, m := range before[max(1, len(before)-maxReferences+1):] {
		if m.Sent.Add(Lasts).After(last.Sent) {
			out = append(out, m)
		}
	}
	return out
}

// References returns the references of the last of an alert's messages, sent by a sender; "" for the first one. Times
// are told as Time tells them in a zone.
func References(messages []AlertMessage, sender string, zone *time.Location) string {
	var out []string
	for _, m := range earlier(messages) {
		out = append(out, sender+","+m.Identifier+","+Time(m.Sent, zone))
	}
	return strings.Join(out, " ")
}

// Name returns an id as identifiers and references may hold it: without spaces, commas, < and &, as in a query of an
// address. Different ids have different names.
func Name(id string) string { return strings.ReplaceAll(url.QueryEscape(id), "+", "%20") }

// Path returns the path of the CAP document of an alert.
func Path(id string) string { return "/v1/alerts/" + Name(id) + ".cap" }

// Time formats a time of a CAP message: local time with the offset of its zone, and "-00:00" for UTC, which the
// standard asks for. A zone whose offset has seconds is told as UTC, since the form has none.
func Time(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	if _, offset := t.Zone(); offset == 0 || offset%60 != 0 {
		return t.UTC().Format("2006-01-02T15:04:05") + "-00:00"
	}
	return t.Format("2006-01-02T15:04:05-07:00")
}
