package gateway

import (
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

func TestForwardRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := nhip.Message{
			Client: rapid.String().Draw(r, "client"), Topic: rapid.StringN(1, 100, -1).Draw(r, "topic"),
			Payload:  rapid.SliceOf(rapid.Byte()).Draw(r, "payload"),
			Received: time.UnixMilli(rapid.Int64Range(-1e15, 1e15).Draw(r, "received")).UTC(),
		}
		record := appendForwardRecord([]byte{}, &want)
		newer := protowire.AppendString(protowire.AppendTag(record, 99, protowire.BytesType), "a field of a later version")
		for _, b := range [][]byte{record, newer} {
			got, err := readForwardRecord(b)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				r.Errorf("%v %s", err, diff)
			}
		}
		for cut := range record {
			if m, err := readForwardRecord(record[:cut]); err == nil && m.Topic == "" {
				r.Errorf("%d bytes of %d decode as %+v", cut, len(record), m)
			}
		}
	})
}

func TestForwardRecordRejectsInvalid(t *testing.T) {
	for what, b := range map[string][]byte{
		"empty": {}, "no tag": {0xff}, "truncated field": {recordTopic<<3 | 2, 9, 'a'}, "no topic": {
			recordClient<<3 | 2, 1, 'a',
		},
	} {
		if m, err := readForwardRecord(b); err == nil {
			t.Errorf("%s: decoded as %+v", what, m)
		}
	}
}
