package tts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "decoded") }

// TestDecodeCopiesOfUplink checks that copies of an uplink, delivered again, with its gateways in another order or
// without one of them, result in the same facts, so that they are duplicates.
func TestDecodeCopiesOfUplink(t *testing.T) {
	decodetest.SameFacts(t, "decoded", "redelivered", "one-gateway-of-two", "in-topic", "open-source-topic")
}

func TestDecodeDocumentedUplinks(t *testing.T) {
	samples := decodetest.Data(t, "air/samples")
	var fields []decode.Field
	for _, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.Temperature, nhip.Humidity} {
		fields = append(fields, decode.Field{Name: string(q), Quantity: q})
	}
	facts, err := decodeSample(t, filepath.Join(samples, "tts_v3_uplink_decoded_constructed.json"), fields)
	if err != nil || len(facts.Readings) != 4 || facts.Readings[0].Value != 38.1 ||
		!strings.HasSuffix(facts.Readings[0].Station, ".dev1") {
		t.Errorf("decoded uplink: %+v, %v", facts.Readings, err)
	}
	_, err = decodeSample(t, filepath.Join(samples, "tts_v3_uplink_undecoded.json"), fields)
	if nhip.ErrorCode(err) != nhip.CodeMissing {
		t.Errorf("undecoded uplink: %v", err)
	}
}

// decodeSample decodes a sample without validation, because the samples are years old.
func decodeSample(t *testing.T, file string, fields []decode.Field) (facts nhip.Facts, err error) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Topic   string
		Payload json.RawMessage
	}
	if err := json.Unmarshal(raw, &sample); err != nil {
		t.Fatal(err)
	}
	err = Decoder.Decode(decode.Input{
		Topic: sample.Topic, Payload: sample.Payload, Received: decodetest.Received, Feed: &decode.Feed{Fields: fields},
		Reject: func(fault error) { t.Error(fault) },
	}, &facts)
	return facts, err
}
