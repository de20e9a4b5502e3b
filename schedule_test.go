package nhip

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func someSchedule() Schedule {
	return Schedule{
		Name: "Tháng", Report: ReportMonthly, Lang: "vi", Recipients: []string{"lan@hanoi.example"}, Every: EveryMonth,
		Day: 1,
		At:  "07:30", Active: true, Owner: Actor{Name: "Lan", Key: "lan", Role: RoleAnalyst},
		Created: time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC),
	}
}

func TestScheduleNamesInvalidField(t *testing.T) {
	if s := someSchedule(); s.Validate() != nil {
		t.Fatal(s.Validate())
	}
	for _, c := range []struct {
		field  string
		change func(*Schedule)
	}{
		{"name", func(s *Schedule) { s.Name = "" }},
		{"name", func(s *Schedule) { s.Name = "a\r\nBcc: x@example.org" }},
		{"report", func(s *Schedule) { s.Report = "weekly" }},
		{"station", func(s *Schedule) { s.Station, s.Area = "a", "b" }},
		{"area", func(s *Schedule) { s.Area = strings.Repeat("x", 257) }},
		{"lang", func(s *Schedule) { s.Lang = "fr" }},
		{"every", func(s *Schedule) { s.Every = "year" }},
		{"day", func(s *Schedule) { s.Day = 32 }},
		{"day", func(s *Schedule) { s.Day = 0 }},
		{"day", func(s *Schedule) { s.Every, s.Day = EveryWeek, 8 }},
		{"day", func(s *Schedule) { s.Every = EveryDay }},
		{"at", func(s *Schedule) { s.At = "24:00" }},
		{"at", func(s *Schedule) { s.At = "7:30" }},
		{"recipients", func(s *Schedule) { s.Recipients = nil }},
		{"recipients", func(s *Schedule) { s.Recipients = []string{"a@b", "A@b"} }},
		{"recipients", func(s *Schedule) { s.Recipients = make([]string, MaxRecipients+1) }},
		{"actor.name", func(s *Schedule) { s.Owner.Name = "" }},
		{"created", func(s *Schedule) { s.Created = time.Time{} }},
	} {
		s := someSchedule()
		c.change(&s)
		var e *Error
		if err := s.Validate(); !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestMailAddressesCanStandInHeaders(t *testing.T) {
	for _, ok := range []string{"lan@hanoi.example", "a.b+c_d@x-1.example", "root@localhost"} {
		if err := CheckMailAddress("to", ok); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", "@", "a", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a\r\n@b", "a@b\nBcc: c@d", "a@b,c@d", "a@b;c@d", "<a@b>",
		"Lan <a@b>", `"a b"@c`, "a@[127.0.0.1]", ".a@b", "a..b@c", "a.@b", "a@-b", "a@b-", "a@b..c", "a@.b", "lân@b", "a@đ",
		strings.Repeat("a", 65) + "@b", "a@" + strings.Repeat("b.", 127) + "c", "a@" + strings.Repeat("b", 64),
	} {
		if CheckMailAddress("to", bad) == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

// TestScheduleIsDueOncePerPeriod goes through years of a zone day by day.
func TestScheduleIsDueOncePerPeriod(t *testing.T) {
	for _, name := range []string{"Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Date(2023, 12, 31, 12, 0, 0, 0, zone), time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
		for _, c := range []struct {
			every string
			day   int
			want  int
		}{{EveryDay, 0, 731}, {EveryWeek, 7, 104}, {EveryMonth, 31, 24}} {
			for _, at := range []string{"00:00", "00:30", "01:45", "02:00", "02:15", "02:30", "03:00", "23:59"} {
				s := Schedule{Every: c.every, Day: c.day, At: at}
				days := make(map[string]bool)
				n := 0
				for due := s.Next(from, zone); due.Before(to); due = s.Next(due, zone) {
					days[due.In(zone).Format(time.DateOnly)] = true
					n++
				}
				want := c.want
				if first := s.Next(from, zone); first.Year() == 2023 && c.every != EveryDay {
					want++ // of the day on which the test begins
				} else if c.every == EveryDay && first.Year() == 2023 {
					want++
				}
				if n != want || len(days) != n {
					t.Errorf("%s every %s at %s: due %d times on %d days, want %d", name, c.every, at, n, len(days), want)
				}
			}
		}
	}
}

func TestScheduleAtChangesOfClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ every, at, after, want string }{
		{EveryDay, "02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},   // skipped: 03:30 of summer time
		{EveryDay, "02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},   // the first of two
		{EveryDay, "02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},   // and not the second
		{EveryMonth, "07:30", "2026-01-31T12:00:00Z", "2026-02-28T06:30:00Z"}, // day 31 of February
		{EveryMonth, "07:30", "2028-02-01T12:00:00Z", "2028-02-29T06:30:00Z"},
		{EveryMonth, "07:30", "2026-03-31T05:29:59Z", "2026-03-31T05:30:00Z"},
		{EveryMonth, "07:30", "2026-03-31T05:30:00Z", "2026-04-30T05:30:00Z"},
	} {
		s := Schedule{Every: c.every, At: c.at}
		if c.every == EveryMonth {
			s.Day = 31
		}
		after, _ := time.Parse(time.RFC3339, c.after)
		if got := s.Next(after, berlin).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s at %s after %s: %s, want %s", c.every, c.at, c.after, got, c.want)
		}
	}
}

func TestLatestCountsWhatWasDue(t *testing.T) {
	s := Schedule{Every: EveryDay, At: "06:00"}
	from := time.Date(2026, 2, 16, 6, 0, 0, 0, time.UTC)
	if at, n := s.Latest(from, from.Add(23*time.Hour), time.UTC); n != 0 || !at.IsZero() {
		t.Error(at, n)
	}
	if at, n := s.Latest(from, from.Add(72*time.Hour), time.UTC); n != 3 || !at.Equal(from.Add(72*time.Hour)) {
		t.Error(at, n)
	}
	if _, n := s.Latest(time.Time{}, from, time.UTC); n > 366 {
		t.Error(n)
	}
}
