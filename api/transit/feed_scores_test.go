package transit

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/backtest"
)

// outcomes adds n answered questions of a day, of which ours and theirs per cent were right.
func (s *feedScores) outcomes(day time.Time, n, ours, theirs int) {
	for i := range n {
		s.add("city", day, backtest.RivalOutcome{Bin: i % backtest.RivalBins, Ours: i*100/n < ours, Theirs: i*100/n < theirs})
	}
}

// TestBetterPredictionsAreChosenSlowly lets one side be better for some days, one after the other.
func TestBetterPredictionsAreChosenSlowly(t *testing.T) {
	s := newFeedScores()
	better := &nhip.ServiceFeed{Feed: "city", Predictions: nhip.PredictionsBetter}
	day, got := eight.UTC(), ""
	for _, phase := range []struct{ days, n, ours, theirs int }{
		{2, 400, 80, 90},  // too few yet
		{3, 400, 80, 90},  // enough
		{4, 400, 90, 50},  // not for a week yet
		{10, 400, 90, 50}, // now
		{30, 400, 80, 81}, // about the same
	} {
		for range phase.days {
			s.decide(day)
			s.outcomes(day, phase.n, phase.ours, phase.theirs)
			got += string(s.told(better)[:1])
			day = day.AddDate(0, 0, 1)
		}
		got += " "
	}
	if want := "oo ott tttt tooooooooo " + strings.Repeat("o", 30) + " "; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	for setting, want := range map[nhip.Predictions]nhip.Predictions{
		"": nhip.PredictionsOurs, nhip.PredictionsOurs: nhip.PredictionsOurs, nhip.PredictionsTheirs: nhip.PredictionsTheirs,
	} {
		if got := s.told(&nhip.ServiceFeed{Feed: "city", Predictions: setting}); got != want {
			t.Errorf("%q tells %s", setting, got)
		}
	}
	if n := len(s.feeds["city"].Days); n > scoredDays+1 {
		t.Errorf("%d days are kept", n)
	}
	s.decide(day.AddDate(0, 0, 40))
	if len(s.feeds) > 0 {
		t.Error("a feed of long ago is kept")
	}
}

func TestFeedsThatAreScoredAreBounded(t *testing.T) {
	s := newFeedScores()
	for i := range maxScored + 10 {
		s.add(fmt.Sprint(i), eight, backtest.RivalOutcome{})
	}
	if len(s.feeds) != maxScored {
		t.Errorf("%d feeds", len(s.feeds))
	}
}

// TestScoresOutliveARestart saves scores, and reads what is not a file of scores.
func TestScoresOutliveARestart(t *testing.T) {
	file, log := filepath.Join(t.TempDir(), "scores.json"), slog.New(slog.DiscardHandler)
	scores := newFeedScores()
	scores.load(file, log) // there is none
	for i := range 5 {
		scores.decide(eight.AddDate(0, 0, i))
		scores.outcomes(eight.AddDate(0, 0, i), 400, 50, 90)
	}
	scores.save(file, log)
	again := newFeedScores()
	again.load(file, log)
	better := &nhip.ServiceFeed{Feed: "city", Predictions: nhip.PredictionsBetter}
	if again.told(better) != nhip.PredictionsTheirs || again.decided != scores.decided ||
		again.feeds["city"].Days["2026-03-02"].outcomes() != 400 {
		t.Errorf("%+v", again.feeds["city"])
	}
	if before, _ := os.ReadFile(file); len(before) == 0 {
		t.Error("nothing is saved")
	}
	day := func(text string) string {
		return `{"version":1,"feeds":{"city":{"told":"ours","days":{` + text + `}}}}`
	}
	for _, text := range []string{
		"", "{", `{"version":2,"feeds":{}}`, `{"version":1}`, `{"version":1,"feeds":{"city":null}}`,
		`{"version":1,"feeds":{"city":{"told":"better","days":{}}}}`, day(`"x":{}`), day(`"2026-03-02":null`),
		day(`"2026-03-02":{"all":[1,0,0,0],"ours":[2,0,0,0]}`), day(`"2026-03-02":{"all":[1,0,0,0],"theirs":[-1,0,0,0]}`),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := readScores(file); err == nil {
			t.Errorf("%s is read as %+v", text, f)
		}
		again = newFeedScores()
		if again.load(file, log); len(again.feeds) > 0 {
			t.Errorf("%s is used", text)
		}
	}
}
