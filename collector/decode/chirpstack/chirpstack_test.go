package chirpstack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "decoded") }

// TestDecodeCopiesOfUplink checks that copies of an uplink, with its gateways in another order, under another name of
// the device or on another topic, result in the same facts, so that they are duplicates.
func TestDecodeCopiesOfUplink(t *testing.T) {
	decodetest.SameFacts(t, "decoded", "gateways-reversed", "renamed", "in-topic", "capitals")
}

// TestDecodeDocumentedEvent decodes the example of ChirpStack's documentation, an event of a device without a codec.
func TestDecodeDocumentedEvent(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(decodetest.Data(t, "air/samples"), "chirpstack_v4_up.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Topic   string
		Payload map[string]any
	}
	if err := json.Unmarshal(raw, &sample); err != nil {
		t.Fatal(err)
	}
	if _, err := decodeEvent(t, sample.Topic, sample.Payload); nhip.ErrorCode(err) != nhip.CodeMissing {
		t.Errorf("event without a codec: %v", err)
	}
	sample.Payload["object"] = map[string]any{"pm25": 38.1}
	facts, err := decodeEvent(t, sample.Topic, sample.Payload)
	if err != nil || len(facts.Readings) != 1 || facts.Readings[0].Station != "0101010101010101" ||
		facts.Readings[0].Value != 38.1 {
		t.Errorf("event with a codec: %+v, %v", facts, err)
	}
}

// decodeEvent decodes an event without validation, because the sample is years old.
func decodeEvent(t *testing.T, topic string, event map[string]any) (facts nhip.Facts, err error) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	err = Decoder.Decode(decode.Input{
		Topic: topic, Payload: payload, Received: decodetest.Received,
		Feed:   &decode.Feed{Fields: []decode.Field{{Name: "pm25", Quantity: nhip.PM25}}},
		Reject: func(fault error) { t.Error(fault) },
	}, &facts)
	return facts, err
}
