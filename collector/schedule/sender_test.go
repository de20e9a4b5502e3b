package schedule

import (
	"context"
	"errors"
	"mime"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/notify"
	"nhip/internal/notify/smtptest"
)

func TestReportIsMailedOnce(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.at(t, 0, "10:00")
	if s := h.shown(t); s.State != nhip.ScheduleWaiting || !s.Next.Equal(time.Date(2026, 2, 17, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("before: %+v", s)
	}
	h.at(t, 1, "06:59")
	if got := h.recipients(); got != "" {
		t.Fatal("sent early to", got)
	}
	h.at(t, 1, "07:00")
	h.at(t, 1, "07:05")
	h.start(t)
	h.at(t, 1, "07:10")
	if got := h.recipients(); got != "ab" {
		t.Fatalf("sent to %q", got)
	}
	if s := h.shown(t); s.State != nhip.ScheduleWaiting || !s.LastSent.Equal(time.Date(2026, 2, 17, 0, 0, 0, 0,
		time.UTC)) ||
		s.LastError != "" || s.GivenUp+s.Missed+s.Left > 0 {
		t.Errorf("after: %+v", s)
	}
	h.at(t, 2, "07:01")
	if got := h.recipients(); got != "abab" {
		t.Errorf("sent to %q", got)
	}
}

func TestMailHasTheNumbersInBothForms(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.at(t, 1, "07:00")
	h.set(t, daily(func(s *nhip.Schedule) {
		s.Report, s.Every, s.Day, s.Lang, s.Recipients = nhip.ReportMonthly, nhip.EveryMonth, 31, "en",
			[]string{"c@example.org"}
		s.Name, s.Area = "End of month", "west"
	}))
	h.at(t, 12, "07:00") // 28 February
	mails := h.server.Mails()
	if len(mails) != 3 {
		t.Fatalf("%d mails", len(mails))
	}
	dec := new(mime.WordDecoder)
	for i, want := range []struct {
		subject, text string
		csv           []string
	}{
		{
			"[Nhịp] Vượt quy chuẩn ngày 16/02/2026 · Toàn mạng lưới",
			"Hoàn Kiếm: Bụi mịn PM2.5, 24 giờ: 1, Lớn nhất 50,5 µg/m³ (Giới hạn 45)",
			[]string{"hn-01,Hoàn Kiếm,west,pm25,24h,45", "hn-02"},
		},
		{},
		{
			"[Nhịp] Monthly report January 2026 · Area: west", "Fine particles PM2.5: Mean 50 µg/m³",
			[]string{"2026-01,hn-01,Hoan Kiem,west,pm25,µg/m³,50,40,60"},
		},
	} {
		if want.subject == "" {
			continue
		}
		d := decode(t, mails[i])
		if subject, err := dec.DecodeHeader(d.header.Get("Subject")); err != nil || subject != want.subject {
			t.Errorf("subject %q, %v", subject, err)
		}
		if !strings.Contains(d.parts["text/plain"], want.text) || !strings.Contains(d.parts["text/html"], "<table") {
			t.Errorf("text %s\n%s", d.parts["text/plain"], d.parts["text/html"])
		}
		for _, row := range want.csv {
			if !strings.Contains(d.parts["text/csv"], row) {
				t.Errorf("no %q in\n%s", row, d.parts["text/csv"])
			}
		}
	}
	last := decode(t, mails[2])
	if strings.Contains(last.parts["text/csv"], "hn-02") || !strings.Contains(last.parts["text/plain"], "month=2026-01") {
		t.Errorf("%s\n%s", last.parts["text/csv"], last.parts["text/plain"])
	}
}

// refuse makes the server refuse recipients, by the begin of their addresses.
func (h *harness) refuse(replies map[string]string) {
	h.server.Reply(func(verb, line string) string {
		for to, reply := range replies {
			if verb == "RCPT" && strings.Contains(line, to) {
				return reply
			}
		}
		return ""
	})
}

func TestMailsAreRetriedAndGivenUp(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.refuse(map[string]string{"a@": "550 no such user", "b@": "450 later"})
	h.at(t, 1, "07:00")
	if s := h.shown(t); s.State != nhip.ScheduleSending || s.Left != 1 || s.GivenUp != 1 ||
		!strings.Contains(s.LastError, "450") ||
		!s.Next.Equal(time.Date(2026, 2, 17, 0, 1, 0, 0, time.UTC)) {
		t.Errorf("refused: %+v", s)
	}
	h.step(t.Context()) // not due yet
	h.at(t, 1, "07:01")
	if s := h.shown(t); !s.Next.Equal(time.Date(2026, 2, 17, 0, 3, 0, 0, time.UTC)) {
		t.Errorf("second attempt: %+v", s)
	}
	h.refuse(map[string]string{"a@": "550 no such user"})
	h.at(t, 1, "07:03")
	if got := h.recipients(); got != "b" {
		t.Errorf("sent to %q", got)
	}
	h.refuse(map[string]string{"b@": "450 later"})
	h.set(t, daily(func(s *nhip.Schedule) { s.Every, s.Day = nhip.EveryWeek, 3 })) // Wednesday, the 18th
	for hour := range 26 {
		h.clock.set(time.Date(2026, 2, 18, 7+hour, 0, 0, 0, hanoi))
		h.step(t.Context())
	}
	if s := h.shown(t); s.State != nhip.ScheduleWaiting || s.GivenUp != 2 || h.recipients() != "ba" {
		t.Errorf("given up: %+v, sent to %q", s, h.recipients())
	}
}

func TestServersFaultIsRetried(t *testing.T) {
	for name, reply := range map[string]string{"CONNECT": smtptest.Drop, "MAIL": "421 bye", "DATA": smtptest.Drop} {
		h := newHarness(t)
		h.set(t, daily(nil))
		h.server.Reply(func(verb, _ string) string {
			if verb == name {
				return reply
			}
			return ""
		})
		h.at(t, 1, "07:00")
		h.start(t)
		h.server.Reply(nil)
		h.at(t, 1, "08:00")
		h.at(t, 1, "09:00")
		if got := h.recipients(); got != "ab" {
			t.Errorf("%s %s: sent to %q", name, reply, got)
		}
	}
	h := newHarness(t)
	h.set(t, daily(nil))
	h.past.err = errors.New("database away")
	h.at(t, 1, "07:00")
	if s := h.shown(t); s.Left != 2 || !strings.Contains(s.LastError, "database away") {
		t.Errorf("%+v", s)
	}
	h.past.err = nil
	h.at(t, 1, "07:01")
	if got := h.recipients(); got != "ab" {
		t.Errorf("sent to %q", got)
	}
}

// killer ends the process, as it were, at a message: it keeps what was on disk then.
type killer struct {
	inner     Mailer
	n         int  // messages before the kill
	delivered bool // the last message has reached the server
	disk      []byte
	path      string
	cancel    context.CancelFunc
}

func (k *killer) Send(ctx context.Context, m *notify.Message) error {
	if k.n--; k.n != 0 {
		return k.inner.Send(ctx, m)
	}
	k.disk, _ = os.ReadFile(k.path)
	if k.delivered {
		_ = k.inner.Send(ctx, m)
	}
	k.cancel()
	return errors.New("killed")
}

func TestKillRepeatsAtMostTheMessageUnderWay(t *testing.T) {
	for _, c := range []struct {
		n         int
		delivered bool
		want      string
	}{{1, false, "ab"}, {1, true, "aab"}, {2, false, "ab"}, {2, true, "abb"}} {
		h := newHarness(t)
		h.set(t, daily(nil))
		ctx, cancel := context.WithCancel(t.Context())
		h.mailer = &killer{
			inner: h.o.Mailer, n: c.n, delivered: c.delivered, path: h.o.Path, cancel: cancel,
		}
		h.start(t)
		h.clock.set(begin.Add(24 * time.Hour))
		h.step(ctx)
		if err := os.WriteFile(h.o.Path, h.mailer.(*killer).disk, 0o600); err != nil {
			t.Fatal(err)
		}
		h.mailer = nil
		h.start(t)
		h.clock.set(begin.Add(25 * time.Hour))
		h.step(t.Context())
		if got := h.recipients(); got != c.want {
			t.Errorf("killed at message %d, delivered %v: sent to %q", c.n, c.delivered, got)
		}
		ids := make(map[string]string)
		for _, m := range h.server.Mails() {
			ids[decode(t, m).header.Get("Message-ID")] = m.To[0]
		}
		if len(ids) != 2 {
			t.Errorf("%d Message-IDs", len(ids))
		}
	}
}

func TestTimesMissedWhileDown(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.at(t, 0, "12:00")
	h.start(t)
	h.at(t, 3, "12:00") // days 1 and 2 are missed, day 3 is late
	if s := h.shown(t); s.Missed != 2 || h.recipients() != "ab" {
		t.Errorf("%+v, sent to %q", s, h.recipients())
	}
	h.set(t, daily(func(s *nhip.Schedule) { s.Every, s.Day = nhip.EveryWeek, 5 })) // Friday, the 20th
	h.at(t, 3, "13:00")
	h.start(t)
	h.at(t, 5, "07:01")
	if s := h.shown(t); s.Missed != 3 || h.recipients() != "ab" ||
		!s.LastMissed.Equal(time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, sent to %q", s, h.recipients())
	}
}

func TestLostFileRepeatsNothing(t *testing.T) {
	for _, raw := range []string{"", "{", `{"schedules":{"s":null}}`} {
		h := newHarness(t)
		h.set(t, daily(nil))
		h.at(t, 1, "07:00")
		path := h.o.Path
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if raw != "" {
			if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.set(begin.Add(23 * time.Hour))
		h.start(t)
		h.step(t.Context())
		h.at(t, 2, "07:00")
		if got := h.recipients(); got != "abab" {
			t.Errorf("file %q: sent to %q", raw, got)
		}
	}
}

func TestScheduleStopsWithItsOwner(t *testing.T) {
	key := func(change func(*nhip.Key)) func(*testing.T, *harness) {
		return func(t *testing.T, h *harness) {
			k := nhip.Key{Name: "Lan", Role: nhip.RoleAnalyst, Created: begin.Add(-time.Hour)}
			change(&k)
			h.docs.set(t, nhip.DocumentKey, "lan", begin, k)
		}
	}
	for name, c := range map[string]struct {
		end  func(*testing.T, *harness)
		want string
	}{
		"key removed":  {func(_ *testing.T, h *harness) { h.docs.remove(nhip.DocumentKey, "lan") }, "removed"},
		"key expired":  {key(func(k *nhip.Key) { k.Expires = begin.Add(time.Hour) }), "expired"},
		"key replaced": {key(func(k *nhip.Key) { k.Created = begin.Add(time.Hour) }), "removed"},
		"role":         {key(func(k *nhip.Key) { k.Role = nhip.RoleViewer }), "role"},
		"zone":         {key(func(k *nhip.Key) { k.Scope.Zones = []string{"ward/gone"} }), "ward/gone"},
		"scope":        {key(func(k *nhip.Key) { k.Scope.Stations = []string{"other"} }), "sees no station"},
	} {
		h := newHarness(t)
		h.set(t, daily(nil))
		h.at(t, 0, "11:00")
		c.end(t, h)
		h.at(t, 1, "07:00")
		if s := h.shown(t); s.State != nhip.ScheduleStopped || !strings.Contains(s.Reason, c.want) || h.recipients() != "" {
			t.Errorf("%s: %+v, sent to %q", name, s, h.recipients())
		}
		if _, err := h.Send(t.Context(), nhip.ScheduleSend{ID: "s"}); nhip.ErrorCode(err) != nhip.CodeConflict {
			t.Errorf("%s: sent on request: %v", name, err)
		}
		key(func(*nhip.Key) {})(t, h) // as before, but nothing starts by itself
		h.at(t, 2, "07:00")
		h.set(t, daily(nil))
		h.at(t, 3, "07:00")
		if got := h.recipients(); got != "ab" {
			t.Errorf("%s: after it was saved again: sent to %q", name, got)
		}
	}
}

// TestChangesCountFromTheNextRecipientOn changes a schedule and its owner while the mail to the first recipient is sent.
func TestChangesCountFromTheNextRecipientOn(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *harness){
		"none": func(*testing.T, *harness) {},
		"recipient gone": func(t *testing.T, h *harness) {
			h.set(t, daily(func(s *nhip.Schedule) { s.Recipients = s.Recipients[:1] }))
		},
		"inactive":         func(t *testing.T, h *harness) { h.set(t, daily(func(s *nhip.Schedule) { s.Active = false })) },
		"schedule removed": func(_ *testing.T, h *harness) { h.docs.remove(nhip.DocumentSchedule, "s") },
		"key removed":      func(_ *testing.T, h *harness) { h.docs.remove(nhip.DocumentKey, "lan") },
		"scope": func(t *testing.T, h *harness) {
			h.docs.set(t, nhip.DocumentKey, "lan", begin, nhip.Key{
				Name: "Lan", Role: nhip.RoleAnalyst, Created: begin.Add(-time.Hour), Scope: nhip.Scope{Stations: []string{"hn-01"}},
			})
		},
	} {
		h := newHarness(t)
		h.set(t, daily(nil))
		h.at(t, 0, "11:00")
		var first sync.Once
		h.server.Reply(func(verb, _ string) string {
			if verb == "." {
				first.Do(func() { change(t, h) })
			}
			return ""
		})
		h.at(t, 1, "07:00")
		want := map[bool]string{true: "ab", false: "a"}[name == "none"]
		if got := h.recipients(); got != want {
			t.Errorf("%s: sent to %q, want %q", name, got, want)
		}
		if h.at(t, 1, "07:02"); name == "scope" && h.recipients() != "ab" {
			t.Errorf("%s: then sent to %q", name, h.recipients())
		}
	}
}

func TestScheduleOfAccountOutlivesSession(t *testing.T) {
	h := newHarness(t)
	h.docs.set(t, nhip.DocumentSession, strings.Repeat("0", 64), begin, nhip.Session{
		Account: "account:x", Role: nhip.RoleAnalyst, Created: begin, Expires: begin.Add(time.Hour),
	})
	h.set(t, daily(func(s *nhip.Schedule) { s.Owner.Key = "account:x" }))
	h.at(t, 0, "10:30")
	h.docs.remove(nhip.DocumentSession, strings.Repeat("0", 64))
	h.start(t)
	h.at(t, 1, "07:00")
	if got := h.recipients(); got != "ab" {
		t.Errorf("sent to %q, %+v", got, h.shown(t))
	}
	h.at(t, 91, "07:00")
	if s := h.shown(t); s.State != nhip.ScheduleStopped || !strings.Contains(s.Reason, "90 days") {
		t.Errorf("%+v", s)
	}
	h.set(t, daily(func(s *nhip.Schedule) { s.Owner.Key = "session:" + strings.Repeat("0", 16) }))
	h.at(t, 92, "06:00")
	if s := h.shown(t); s.State != nhip.ScheduleStopped || !strings.Contains(s.Reason, "session") {
		t.Errorf("%+v", s)
	}
}

func TestReportHasOnlyWhatTheOwnerSees(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(func(s *nhip.Schedule) {
		s.Scope.Stations, s.Recipients = []string{"hn-02"}, []string{"a@example.org"}
	}))
	h.at(t, 1, "07:00")
	csv := decode(t, h.server.Mails()[0]).parts["text/csv"]
	if !strings.Contains(csv, "hn-02") || strings.Contains(csv, "hn-01") {
		t.Error(csv)
	}
}

func TestEditsCountFromThenOn(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.at(t, 0, "11:00")
	h.set(t, daily(func(s *nhip.Schedule) { s.Active = false }))
	h.at(t, 1, "08:00")
	if s := h.shown(t); s.State != nhip.ScheduleInactive {
		t.Errorf("%+v", s)
	}
	h.set(t, daily(nil)) // at 8:00: the time of 7:00 is not sent any more
	h.at(t, 1, "08:01")
	h.set(t, daily(func(s *nhip.Schedule) { s.At = "08:30" }))
	h.at(t, 1, "08:30")
	if got := h.recipients(); got != "ab" {
		t.Errorf("sent to %q", got)
	}
	h.docs.remove(nhip.DocumentSchedule, "s")
	h.at(t, 2, "09:00")
	if got := h.recipients(); got != "ab" {
		t.Errorf("after it was removed: sent to %q", got)
	}
}

func TestReportOnRequest(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(nil))
	h.at(t, 0, "10:00")
	if _, err := h.Send(t.Context(), nhip.ScheduleSend{ID: "none"}); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Error(err)
	}
	if s, err := h.Send(t.Context(), nhip.ScheduleSend{ID: "s"}); err != nil || s.State != nhip.ScheduleSending ||
		s.Left != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	h.start(t)
	h.step(t.Context())
	if _, err := h.Send(t.Context(), nhip.ScheduleSend{ID: "s"}); nhip.ErrorCode(err) != nhip.CodeConflict {
		t.Error(err)
	}
	h.at(t, 1, "07:00")
	if got := h.recipients(); got != "abab" {
		t.Errorf("sent to %q", got)
	}
}

func TestStopLetsMessageEnd(t *testing.T) {
	h := newHarness(t)
	h.set(t, daily(func(s *nhip.Schedule) { s.Recipients = []string{"a@example.org"} }))
	ctx, cancel := context.WithCancel(t.Context())
	h.server.Reply(func(verb, _ string) string {
		if verb == "DATA" {
			cancel()
		}
		return ""
	})
	h.clock.set(begin.Add(24 * time.Hour))
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	awaittest.True(t, "the sender stops", func() bool { return len(done) > 0 })
	h.start(t)
	h.clock.set(begin.Add(25 * time.Hour))
	h.step(t.Context())
	if got := h.recipients(); got != "a" {
		t.Errorf("sent to %q", got)
	}
}
