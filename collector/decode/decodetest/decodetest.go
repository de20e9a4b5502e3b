// Package decodetest holds the two tests that every decoder passes: its golden folder, and a fuzz
// test seeded with it.
//
// A case is a folder testdata/<name> with topic.txt, payload.* and either want.json (the facts) or
// error.txt ("code field: rule"). A feed.json beside them says what the configuration says of the
// feed; see feedFile. Run the tests with -update to write what the decoder says now, and read the
// difference before you believe it.
package decodetest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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
			got, isErr := outcome(d, load(t, dir))
			check(t, dir, got, isErr)
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
		}
		var facts nhip.Facts
		err := d.Decode(in, &facts)
		var known *nhip.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if err == nil {
			_ = facts.Validate(Received)
		}
	})
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
	}
}

// outcome decodes and validates, as the collector does. The payload is wiped in between: facts that
// share its memory do not survive it.
func outcome(d decode.Decoder, in decode.Input) (text string, isErr bool) {
	var facts nhip.Facts
	err := d.Decode(in, &facts)
	clear(in.Payload)
	if err == nil {
		err = facts.Validate(Received)
	}
	if err != nil {
		return fmt.Sprintf("%s %s\n", nhip.ErrorCode(err), err), true
	}
	out, _ := json.MarshalIndent(facts, "", "  ") // every fact can be written
	return string(out) + "\n", false
}

func check(t *testing.T, dir, got string, isErr bool) {
	t.Helper()
	want, other := filepath.Join(dir, "want.json"), filepath.Join(dir, "error.txt")
	if isErr {
		want, other = other, want
	}
	if *update {
		_ = os.Remove(other)
		if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	raw, err := os.ReadFile(want)
	if err != nil {
		t.Fatalf("%s does not expect this outcome: %s", dir, got)
	}
	if diff := cmp.Diff(string(raw), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
