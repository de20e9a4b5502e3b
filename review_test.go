package nhip_test

import (
	"testing"
	"time"

	"nhip"
)

func TestBaselineNeedsDays(t *testing.T) {
	r := nhip.Review{
		ID: "1", Station: "s", Action: nhip.ActionBaseline, By: "Lan", Why: "calibrated",
		To: time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), Time: time.Date(2026, 2, 17, 0, 0, 0, 0, time.UTC),
	}
	r.From = r.To.Add(-nhip.MinBaselineSpan)
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	r.From = r.From.Add(time.Second)
	if err := r.Validate(); nhip.ErrorCode(err) != nhip.CodeOutOfRange {
		t.Errorf("a shorter one returned %v", err)
	}
	r.Action = nhip.ActionExclude
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
}

func TestUndoTakesBackOnlyItsReview(t *testing.T) {
	noon := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	at := func(id string, action nhip.ReviewAction, of string, minute int) nhip.Review {
		return nhip.Review{
			ID: id, Station: "s", Action: action, Of: of, From: noon.Add(-time.Hour), To: noon, By: "Lan", Why: "x",
			Time: noon.Add(time.Duration(minute) * time.Minute),
		}
	}
	strike, again := at("a", nhip.ActionExclude, "", 0), at("b", nhip.ActionExclude, "", 1)
	restore := at("c", nhip.ActionReinstate, "", 2)
	undo := func(id, of string, minute int) nhip.Review { return at(id, nhip.ActionUndo, of, minute) }
	list := func(all ...nhip.Review) []nhip.Review { return all }
	for name, c := range map[string]struct {
		reviews []nhip.Review
		want    nhip.Flag
		decided bool
	}{
		"one strike":                 {list(strike, undo("u", "a", 5)), nhip.FlagSuspect, false},
		"one of two":                 {list(strike, again, undo("u", "a", 5)), nhip.FlagFail, true},
		"the later one of two":       {list(strike, again, undo("u", "b", 5)), nhip.FlagFail, true},
		"a restore":                  {list(strike, restore, undo("u", "c", 5)), nhip.FlagFail, true},
		"a strike under a restore":   {list(strike, restore, undo("u", "a", 5)), nhip.FlagGood, true},
		"the undo":                   {list(strike, undo("u", "a", 5), undo("v", "u", 6)), nhip.FlagFail, true},
		"a review that came later":   {list(undo("u", "c", 1), restore), nhip.FlagGood, true},
		"a review that is not known": {list(strike, undo("u", "x", 5)), nhip.FlagFail, true},
		"in a circle":                {list(undo("u", "v", 5), undo("v", "u", 5)), nhip.FlagSuspect, false},
	} {
		flag, decided := nhip.Decide(c.reviews, nhip.PM25, noon, nhip.FlagSuspect)
		if flag != c.want || decided != c.decided {
			t.Errorf("%s: flag %d, decided %t", name, flag, decided)
		}
	}
	for _, c := range []struct {
		review nhip.Review
		code   nhip.Code
	}{
		{at("u", nhip.ActionUndo, "a", 0), ""},
		{at("u", nhip.ActionUndo, "", 0), nhip.CodeOutOfRange},
		{at("u", nhip.ActionUndo, "u", 0), nhip.CodeOutOfRange},
		{at("u", nhip.ActionExclude, "a", 0), nhip.CodeOutOfRange},
	} {
		if err := c.review.Validate(); nhip.ErrorCode(err) != c.code {
			t.Errorf("%+v: %v", c.review, err)
		}
	}
}

func TestReviewSupersedesTheLatestInForce(t *testing.T) {
	noon := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	at := func(id string, action nhip.ReviewAction, q nhip.Quantity, hour, minute int) nhip.Review {
		from := noon.Add(time.Duration(hour) * time.Hour)
		return nhip.Review{
			ID: id, Station: "s", Action: action, Quantity: q, From: from, To: from.Add(time.Hour),
			Time: noon.Add(time.Duration(minute) * time.Minute),
		}
	}
	undo := at("u", nhip.ActionUndo, "", 0, 5)
	undo.Of = "c"
	known := []nhip.Review{
		at("a", nhip.ActionExclude, nhip.PM25, 0, 0), at("b", nhip.ActionBaseline, nhip.PM10, 0, 1),
		at("c", nhip.ActionReinstate, "", 0, 2), at("d", nhip.ActionAnnotate, "", 0, 3), undo,
		at("e", nhip.ActionExclude, nhip.PM10, 1, 6), at("later", nhip.ActionExclude, "", 0, 60),
	}
	ofUndo := at("x", nhip.ActionUndo, "", 0, 9)
	ofUndo.Of = "d"
	for name, c := range map[string]struct {
		review nhip.Review
		want   string
	}{
		"a decision":            {at("x", nhip.ActionReinstate, "", 0, 9), "a"},
		"of the next hour":      {at("x", nhip.ActionReinstate, "", 1, 9), "e"},
		"of another quantity":   {at("x", nhip.ActionExclude, nhip.PM25, 1, 9), ""},
		"itself, known already": {at("e", nhip.ActionExclude, nhip.PM10, 1, 6), ""},
		"a baseline":            {at("x", nhip.ActionBaseline, "", 0, 9), "b"},
		"a remark":              {at("x", nhip.ActionAnnotate, "", 0, 9), ""},
		"an undo":               {ofUndo, "d"},
	} {
		got := ""
		if r := c.review.Supersedes(known); r != nil {
			got = r.ID
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSameReviewOfAnotherTimeAndPerson(t *testing.T) {
	noon := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	a := nhip.Review{ID: "a", Station: "s", From: noon, To: noon.Add(time.Hour), By: "Lan", Why: "fog", Time: noon}
	b := a
	b.By, b.Time, b.From = "Mai", noon.Add(time.Second), noon.In(time.FixedZone("", 7*3600))
	if !a.SameAs(&b) {
		t.Error("by another person at another time")
	}
	for name, change := range map[string]func(r *nhip.Review){
		"why": func(r *nhip.Review) { r.Why = "haze" }, "to": func(r *nhip.Review) { r.To = noon.Add(2 * time.Hour) },
		"action": func(r *nhip.Review) { r.Action = nhip.ActionExclude },
	} {
		other := b
		change(&other)
		if a.SameAs(&other) {
			t.Errorf("another %s", name)
		}
	}
}
