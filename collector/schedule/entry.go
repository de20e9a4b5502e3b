package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/notify"
)

// scheduled is a schedule with its document.
type scheduled struct {
	nhip.Schedule
	id      string
	version int64
	changed time.Time
}

func parse(doc *nhip.DocumentState) (*scheduled, error) {
	one := &scheduled{id: doc.ID, version: doc.Version, changed: doc.Time}
	err := json.Unmarshal(doc.Body, &one.Schedule)
	return one, err
}

// entry is what was and is to be sent of a schedule.
type entry struct {
	Created time.Time `json:"created"` // that of the schedule: another one with its id begins anew
	Version int64     `json:"version"` // of the document
	After   time.Time `json:"after"`   // what was due until then is sent, or in Job, or given up
	Job     *job      `json:"job,omitempty"`
	Stopped string    `json:"stopped,omitempty"` // why nothing is sent; "": it is

	LastSent   time.Time `json:"last_sent,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
	ErrorTime  time.Time `json:"error_time,omitzero"`
	GivenUp    int       `json:"given_up,omitempty"` // mails to one recipient each
	Missed     int       `json:"missed,omitempty"`   // times
	LastMissed time.Time `json:"last_missed,omitzero"`
	Manual     time.Time `json:"manual,omitzero"` // when staff last asked for it
	SignIn     *signIn   `json:"sign_in,omitempty"`

	dirty bool // differs from the file
}

// job is a report that is being sent.
type job struct {
	Due    time.Time `json:"due"`
	Left   []string  `json:"left"` // recipients
	Tries  int       `json:"tries,omitempty"`
	Next   time.Time `json:"next,omitzero"`
	Manual bool      `json:"manual,omitempty"` // staff asked for it
}

// postpone makes an attempt count, and sets the time of the next one.
func (j *job) postpone(now time.Time) {
	j.Tries++
	j.Next = now.Add(min(minRetry<<min(j.Tries-1, 10), maxRetry))
}

// outcomes of mails, as in the metric.
const (
	outcomeSent    = "sent"
	outcomeRefused = "refused" // for good
	outcomeRetried = "retried"
	outcomeGivenUp = "given_up"
	outcomeMissed  = "missed"
)

// plan decides what is due.
func (e *entry) plan(one *scheduled, stopped string, now time.Time, zone *time.Location, m *metrics) {
	if e.Version != one.version {
		e.Version, e.Stopped, e.dirty = one.version, "", true
		if one.changed.After(e.After) {
			e.After = one.changed
		}
		e.keepRecipients(one.Recipients)
	}
	if e.Stopped == "" && stopped != "" || e.Stopped != "" && stopped != "" && e.Stopped != stopped {
		e.Stopped, e.dirty = stopped, true
	}
	if !one.Active || e.Stopped != "" {
		if e.Job != nil {
			e.Job, e.dirty = nil, true
		}
		if now.After(e.After) { // what is due meanwhile is never sent
			e.After = now
		}
		return
	}
	if latest, n := one.Latest(e.After, now, zone); n > 0 {
		e.begin(one, latest, n, now, m)
	}
	if j := e.Job; j != nil && now.Sub(j.Due) > giveUpAfter {
		e.giveUp(m)
	}
}

// begin makes the last time that was due a job. A report that is still being sent gives way to the newer one.
func (e *entry) begin(one *scheduled, latest time.Time, n int, now time.Time, m *metrics) {
	if e.Job != nil {
		e.giveUp(m)
	}
	late := now.Sub(latest) > giveUpAfter
	if missed := n - 1; missed > 0 || late {
		if late {
			missed = n
		}
		e.Missed += missed
		e.LastMissed = latest
		m.mails.WithLabelValues(outcomeMissed).Add(float64(missed))
	}
	e.After, e.dirty = latest, true
	if !late {
		e.Job = &job{Due: latest, Left: slices.Clone(one.Recipients)}
	}
}

func (e *entry) giveUp(m *metrics) {
	n := len(e.Job.Left)
	e.GivenUp += n
	m.mails.WithLabelValues(outcomeGivenUp).Add(float64(n))
	e.Job, e.dirty = nil, true
}

// keepRecipients drops those who are no longer recipients.
func (e *entry) keepRecipients(all []string) {
	if e.Job == nil {
		return
	}
	e.Job.Left = slices.DeleteFunc(e.Job.Left, func(to string) bool { return !slices.Contains(all, to) })
	if len(e.Job.Left) == 0 {
		e.Job = nil
	}
}

// sent notes the outcome of a message to one recipient.
func (e *entry) sent(to string, err error, now time.Time) (outcome string) {
	e.dirty = true
	switch {
	case err == nil:
		outcome, e.LastSent = outcomeSent, now
	case notify.IsPermanent(err):
		outcome = outcomeRefused
		e.GivenUp++
	default:
		outcome = outcomeRetried
	}
	if err != nil {
		e.fail(to+": "+err.Error(), now)
	}
	if e.Job == nil || outcome == outcomeRetried {
		return outcome
	}
	e.Job.Left = slices.DeleteFunc(e.Job.Left, func(left string) bool { return left == to })
	if len(e.Job.Left) == 0 {
		e.Job = nil
	}
	return outcome
}

// maxError bounds the text of an error, which a mail server may have written.
const maxError = 200

func (e *entry) fail(why string, now time.Time) {
	why = strings.Join(strings.Fields(strings.ToValidUTF8(why, "?")), " ")
	if runes := []rune(why); len(runes) > maxError {
		why = string(runes[:maxError]) + "…"
	}
	e.LastError, e.ErrorTime, e.dirty = why, now, true
}

// messageID returns the Message-ID of a report, the same for each attempt.
func messageID(id string, due time.Time, to string) string {
	hash := sha256.Sum256([]byte(to))
	return fmt.Sprintf("schedule.%s.%d.%s", id, due.Unix(), hex.EncodeToString(hash[:6]))
}
