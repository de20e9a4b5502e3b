package decodetest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"nhip"
	"nhip/collector/decode"
)

// Cost checks the memory of decoding a valid golden case: at most a number of allocations for each message, and facts
// that do not share the memory of the payload or the topic, which some brokers keep in one buffer.
func Cost(t *testing.T, d decode.Decoder, name string, allocations float64) {
	topic, payload := message(t, name)
	in := decode.Input{
		Topic: unsafe.String(unsafe.SliceData(topic), len(topic)), Payload: payload,
		Received: Received, Feed: &decode.Feed{Agency: "hanoi"},
	}
	var facts nhip.Facts
	got := testing.AllocsPerRun(100, func() {
		facts.Reset()
		if err := d.Decode(in, &facts); err != nil {
			t.Error(err)
		}
	})
	if got > allocations {
		t.Errorf("%s: %v allocations for each message, want at most %v", name, got, allocations)
	}
	before, _ := json.Marshal(facts)
	clear(topic)
	clear(payload)
	if after, _ := json.Marshal(facts); string(after) != string(before) {
		t.Errorf("%s: the facts share the memory of the message:\n%s\nbecame\n%s", name, before, after)
	}
}

func message(t testing.TB, name string) (topic, payload []byte) {
	t.Helper()
	for file, into := range map[string]*[]byte{"topic.txt": &topic, "payload.json": &payload} {
		raw, err := os.ReadFile(filepath.Join("testdata", name, file))
		if err != nil {
			t.Fatal(err)
		}
		*into = raw
	}
	return bytes.TrimSpace(topic), payload
}
