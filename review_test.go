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
