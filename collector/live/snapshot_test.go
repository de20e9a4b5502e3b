package live

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip"
	"nhip/internal/topics"
)

// TestDamagedSnapshotKeepsValidLines damages each line of a snapshot in turn: the states of the other lines stay, and
// the journal is read from its beginning.
func TestDamagedSnapshotKeepsValidLines(t *testing.T) {
	ids := []string{"a", "b", "c"}
	var lines []string
	add := func(l snapshotLine) {
		raw, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(raw))
	}
	seq, count := uint64(7), len(ids)
	add(snapshotLine{Seq: &seq})
	for _, id := range ids {
		add(snapshotLine{Topic: topics.LiveAirTopic(id), Station: &nhip.Station{ID: id}})
	}
	add(snapshotLine{Count: &count})
	for damaged := -1; damaged < len(lines); damaged++ {
		for _, garbage := range []string{"\x00\xff{", "{}", "null", `{"seq":1}`} {
			text := append([]string(nil), lines...)
			want := len(ids)
			if damaged >= 0 {
				text[damaged] = garbage
				if damaged >= 1 && damaged <= len(ids) {
					want--
				}
			}
			if damaged == 0 && garbage == `{"seq":1}` {
				continue // valid
			}
			path := filepath.Join(t.TempDir(), "live.jsonl")
			if err := os.WriteFile(path, []byte(strings.Join(text, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := &State{
				path: path, clock: nhip.WallClock{}, buses: map[string]*lastPosition{}, stations: map[string]*nhip.Station{},
			}
			s.load(nil)
			kept, _ := filepath.Glob(path + ".damaged-*")
			if valid := damaged < 0; len(s.stations) != want || (s.seq == seq) != valid || (len(kept) == 0) != valid {
				t.Errorf("line %d is %q: %d states, want %d; seq %d, kept %v",
					damaged, garbage, len(s.stations), want, s.seq, kept)
			}
		}
	}
}

func TestSnapshotReadEndsWithFile(t *testing.T) {
	s := &State{clock: nhip.WallClock{}, buses: map[string]*lastPosition{}, stations: map[string]*nhip.Station{}}
	if err := s.read(bufio.NewReader(strings.NewReader(""))); err == nil {
		t.Error("an empty snapshot is valid")
	}
}
