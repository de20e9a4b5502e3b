// Package decodetest has the tests that every decoder must pass: golden cases, and a fuzz test that starts from them.
//
// A case is a folder testdata/<name> with topic.txt, payload.* and either want.json (the facts) or error.txt
// ("code field: rule"). With want.json there may be rejected.txt, which holds the faults of rejected rows, and
// dropped.txt, which holds those of fields that rows are kept without, one a line.
// An optional feed.json holds the configuration of the feed; see feedFile. Run the tests with -update to write the
// current results, and review the difference before you commit it.
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

// Received is the arrival time of golden messages.
var Received = time.Date(2026, 2, 16, 16, 0, 0, 0, time.UTC)

// Golden runs every golden case of the decoder.
func Golden(t *testing.T, d decode.Decoder) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			check(t, dir, decoded(t, d, load(t, dir)))
		})
	}
}

// Fuzz decodes arbitrary payloads and topics with the feeds of the golden cases. The decoder must not panic, its errors
// must be of type *nhip.Error, and validation of its facts must not panic.
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
		t.Fatalf("error is not an *nhip.Error: %v", err)
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

// outcome holds the contents of the golden files of a case. An empty one does not exist.
type outcome struct{ want, rejected, dropped, err string }

func (o *outcome) files() map[string]string {
	return map[string]string{
		"want.json": o.want, "rejected.txt": o.rejected, "dropped.txt": o.dropped, "error.txt": o.err,
	}
}

// decoded decodes and validates a message as the collector does. It clears the payload in between, to find facts that
// share its memory.
func decoded(t *testing.T, d decode.Decoder, in decode.Input) outcome {
	t.Helper()
	var facts nhip.Facts
	var rejected, dropped strings.Builder
	in.Reject = func(fault error) {
		mustBeOurs(t, fault)
		rejected.WriteString(line(fault))
	}
	in.Drop = func(row string, field *nhip.Error) { dropped.WriteString(line(decode.InRow(row, field))) }
	err := d.Decode(in, &facts)
	clear(in.Payload)
	for i := range facts.Readings {
		facts.Readings[i].DropInvalid(func(field *nhip.Error) { in.Drop("", field) })
	}
	if err == nil {
		err = facts.Validate(Received)
	}
	if err != nil {
		return outcome{err: line(err)}
	}
	out, _ := json.MarshalIndent(facts, "", "  ") // never fails for facts
	return outcome{want: string(out) + "\n", rejected: rejected.String(), dropped: dropped.String()}
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
