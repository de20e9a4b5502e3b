// Package decodetest holds the two tests that every decoder passes: its golden folder, and a fuzz
// test seeded with it.
//
// A case is a folder testdata/<name> with topic.txt, payload.* and either want.json (the facts) or
// error.txt ("code field: rule"). Beside want.json, rejected.txt holds the faults of the rows that
// were turned away alone, a line for each. A feed.json says what the configuration says of the feed;
// see feedFile. Run the tests with -update to write what the decoder says now, and read the
// difference before you believe it.
package decodetest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Received is when golden messages arrive, for devices without a clock.
var Received = time.Date(2026, 2, 16, 16, 0, 0, 0, time.UTC)

// Golden runs every case of the decoder's golden folder.
func Golden(t *testing.T, d decode.Decoder) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			check(t, dir, decoded(t, d, load(t, dir)))
		})
	}
}

// Fuzz feeds the decoder arbitrary payloads and topics, under the feeds of its golden cases. It must
// never panic, must answer in an *nhip.Error, and what it accepts must survive being validated.
func Fuzz(f *testing.F, d decode.Decoder) {
	var feeds []*decode.Feed
	for i, dir := range cases(f) {
		in := load(f, dir)
		feeds = append(feeds, in.Feed)
		f.Add(in.Topic, in.Payload, uint(i))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte, feed uint) {
		in := decode.Input{
			Topic: topic, Payload: payload, Received: Received, Feed: feeds[feed%uint(len(feeds))],
			Reject: func(fault error) { mustBeOurs(t, fault) },
		}
		var facts nhip.Facts
		err := d.Decode(in, &facts)
		if err != nil {
			mustBeOurs(t, err)
		} else {
			_ = facts.Validate(Received)
		}
	})
}

func mustBeOurs(t *testing.T, err error) {
	t.Helper()
	var known *nhip.Error
	if !errors.As(err, &known) || known.Rule == "" {
		t.Fatalf("an error of another kind: %v", err)
	}
}

func cases(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/*/topic.txt")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases under testdata: %v", err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

func load(t testing.TB, dir string) decode.Input {
	t.Helper()
	topic, err := os.ReadFile(filepath.Join(dir, "topic.txt"))
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "payload.*"))
	if len(files) != 1 {
		t.Fatalf("%s holds %d payloads, want 1", dir, len(files))
	}
	payload, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return decode.Input{
		Topic: strings.TrimSpace(string(topic)), Payload: payload, Received: Received, Feed: loadFeed(t, dir),
		Reject: func(error) {},
	}
}

// outcome is what the golden files of a case say, by name. An empty one is not there.
type outcome struct{ want, rejected, err string }

func (o *outcome) files() map[string]string {
	return map[string]string{"want.json": o.want, "rejected.txt": o.rejected, "error.txt": o.err}
}

// decoded decodes and validates, as the collector does. The payload is wiped in between: facts that
// share its memory do not survive it.
func decoded(t *testing.T, d decode.Decoder, in decode.Input) outcome {
	t.Helper()
	var facts nhip.Facts
	var rejected strings.Builder
	in.Reject = func(fault error) {
		mustBeOurs(t, fault)
		rejected.WriteString(line(fault))
	}
	err := d.Decode(in, &facts)
	clear(in.Payload)
	if err == nil {
		err = facts.Validate(Received)
	}
	if err != nil {
		return outcome{err: line(err)}
	}
	out, _ := json.MarshalIndent(facts, "", "  ") // every fact can be written
	return outcome{want: string(out) + "\n", rejected: rejected.String()}
}

func line(err error) string { return fmt.Sprintf("%s %s\n", nhip.ErrorCode(err), err) }

func check(t *testing.T, dir string, got outcome) {
	t.Helper()
	for name, text := range got.files() {
		file := filepath.Join(dir, name)
		if *update {
			write(t, file, text)
		}
		want, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), text); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	err := os.Remove(file)
	if text != "" {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
