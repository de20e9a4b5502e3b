package ufmsbus

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/paulmach/orb"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "way-point") }

// encoder is a reference encoder of the schema.
type encoder []byte

func (e *encoder) tag(n protowire.Number, t protowire.Type) { *e = protowire.AppendTag(*e, n, t) }

func (e *encoder) text(n protowire.Number, v string) {
	e.tag(n, protowire.BytesType)
	*e = protowire.AppendString(*e, v)
}

func (e *encoder) integer(n protowire.Number, v int64) {
	e.tag(n, protowire.VarintType)
	*e = protowire.AppendVarint(*e, uint64(v))
}

func (e *encoder) boolean(n protowire.Number, v bool) { e.integer(n, int64(protowire.EncodeBool(v))) }

func (e *encoder) float(n protowire.Number, v float32) {
	e.tag(n, protowire.Fixed32Type)
	*e = protowire.AppendFixed32(*e, math.Float32bits(v))
}

func (e *encoder) double(n protowire.Number, v float64) {
	e.tag(n, protowire.Fixed64Type)
	*e = protowire.AppendFixed64(*e, math.Float64bits(v))
}

func (e *encoder) message(n protowire.Number, v encoder) { e.text(n, string(v)) }

// base wraps a message of a type.
func base(kind protowire.Number, msg encoder) []byte {
	var e encoder
	e.integer(1, int64(kind))
	e.message(kind, msg)
	return e
}

// sample is a way point that both forms can express.
type sample struct {
	at                       int64
	x, y                     float64
	speed, heading           float32
	doorUp, doorDown, inWork bool
}

func (s *sample) protobuf() (e encoder) {
	e.text(1, "29B-123.45")
	e.text(2, "790123456789")
	e.float(3, s.speed)
	e.integer(4, s.at)
	e.double(5, s.x)
	e.double(6, s.y)
	e.float(7, 12)
	e.float(8, s.heading)
	e.boolean(9, true)
	e.boolean(11, s.doorUp)
	e.boolean(12, s.doorDown)
	e.boolean(13, false)
	e.boolean(14, s.inWork)
	return e
}

// batchPoint is the point of a BusWayPointBatch.
func (s *sample) batchPoint() (e encoder) {
	e.integer(1, s.at)
	e.float(2, s.speed)
	e.double(3, s.x)
	e.double(4, s.y)
	e.float(6, s.heading)
	e.boolean(9, s.doorUp)
	e.boolean(10, s.doorDown)
	return e
}

// json omits false, as the boxes do.
func (s *sample) json() string {
	const form = `{"vehicle":"29b 12345","driver":"790123456789","datetime":%d,"x":%v,"y":%v,"speed":%v,"heading":%v`
	text := fmt.Sprintf(form, s.at, s.x, s.y, s.speed, s.heading)
	for _, f := range []struct {
		name string
		on   bool
	}{{"door_up", s.doorUp}, {"door_down", s.doorDown}, {"working", s.inWork}} {
		if f.on {
			text += fmt.Sprintf(`,%q:true`, f.name)
		}
	}
	return text + "}"
}

func (s *sample) want() nhip.Position {
	heading := float64(s.heading)
	if heading == 360 {
		heading = 0
	}
	return nhip.Position{
		Agency: "hanoi", Vehicle: "29B12345", Event: "vp", Time: time.Unix(s.at, 0).UTC(),
		Point: nhip.Some(orb.Point{s.x, s.y}), Speed: nhip.Some(float64(s.speed) / 3.6),
		Bearing: nhip.Some(heading), DoorsOpen: nhip.Some(s.doorUp || s.doorDown), Deadrun: !s.inWork,
	}
}

func decoded(t interface{ Fatal(...any) }, payload []byte) (nhip.Facts, []error) {
	var facts nhip.Facts
	var rejected []error
	err := Decoder.Decode(decode.Input{
		Topic: "nhip/in/ufms-bus/box", Payload: payload, Feed: &decode.Feed{Agency: "hanoi"},
		Reject: func(fault error) { rejected = append(rejected, fault) },
	}, &facts)
	if err != nil {
		t.Fatal(err)
	}
	return facts, rejected
}

// TestEveryFormHasTheSameFacts writes way points with the reference encoder, alone, as a list and as a batch, in
// Protobuf and JSON, and compares the positions.
func TestEveryFormHasTheSameFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var many []sample
		var list, batch encoder
		batch.text(1, "29B12345")
		var texts []string
		for range rapid.IntRange(1, 5).Draw(t, "points") {
			s := sample{
				at: rapid.Int64Range(1, math.MaxInt32).Draw(t, "at"), x: rapid.Float64Range(100, 110).Draw(t, "x"),
				y: rapid.Float64Range(8, 24).Draw(t, "y"), speed: rapid.Float32Range(0, 100).Draw(t, "speed"),
				heading: rapid.Float32Range(0, 360).Draw(t, "heading"), doorUp: rapid.Bool().Draw(t, "up"),
				doorDown: rapid.Bool().Draw(t, "down"), inWork: rapid.Bool().Draw(t, "working"),
			}
			many = append(many, s)
			list.message(1, s.protobuf())
			batch.message(3, s.batchPoint())
			texts = append(texts, s.json())
		}
		array := strings.Join(texts, ",")
		for name, payload := range map[string][]byte{
			"alone":      base(102, many[0].protobuf()),
			"list":       base(104, list),
			"batch":      base(103, batch),
			"JSON":       []byte(`{"msgType":"MsgType_BusWayPoint","msgBusWayPoint":` + texts[0] + `}`),
			"JSON list":  []byte(`{"msgBusWayPoints":{"points":[` + array + `]},"msgType":104}`),
			"JSON batch": []byte(`{"msgType":"103","msgBusWayPointBatch":{"points":[` + array + `]}}`),
		} {
			facts, rejected := decoded(t, payload)
			want := many
			if name == "alone" || name == "JSON" {
				want = many[:1]
			}
			if len(facts.Positions) != len(want) || len(rejected) > 0 {
				t.Fatalf("%s: %d positions, want %d; %v", name, len(facts.Positions), len(want), rejected)
			}
			for i := range want {
				w := want[i].want()
				if name == "batch" || name == "JSON batch" {
					w.Deadrun = false // a batch does not say it
				}
				if strings.HasPrefix(name, "JSON") { // decimal text of a float
					w.Speed, w.Bearing = facts.Positions[i].Speed, facts.Positions[i].Bearing
				}
				if name == "JSON batch" {
					w.Deadrun = facts.Positions[i].Deadrun
				}
				if facts.Positions[i] != w {
					t.Fatalf("%s: %+v\nwant %+v", name, facts.Positions[i], w)
				}
			}
		}
	})
}

// TestTicketsOfOneSecondAreAllCounted sells several tickets in one second, of which one is sent twice.
func TestTicketsOfOneSecondAreAllCounted(t *testing.T) {
	times := make(map[time.Time]bool)
	for _, series := range []string{"A001", "A002", "A003", "A002"} {
		var e encoder
		e.text(1, "29B-123.45")
		e.text(2, "32")
		e.integer(3, 1771257482)
		e.text(9, series)
		facts, _ := decoded(t, base(500, e))
		p := facts.Positions[0]
		if p.Boarded != nhip.Some(1) || p.Time.Unix() != 1771257482 || p.Line != "32" {
			t.Errorf("%+v", p)
		}
		times[p.Time] = true
	}
	if len(times) != 3 {
		t.Errorf("%d times of 3 tickets", len(times))
	}
}

// TestPersonalDataAreDropped sends messages with data about people; none is in a fact, an error or a rejected row.
func TestPersonalDataAreDropped(t *testing.T) {
	var person encoder
	person.text(1, "Nguyen Van A")
	person.text(2, "790123456789")
	s := sample{at: 1771257482, x: 105.85, y: 21.03, inWork: true}
	for _, payload := range [][]byte{
		base(100, person), base(105, person), base(505, person), base(102, s.protobuf()),
		[]byte(`{"msgType":"MsgType_RegDriver","msgRegDriver":{"driver":"790123456789","name":"Nguyen Van A"}}`),
		[]byte(`{"msgType":"MsgType_BusWayPoint","msgBusWayPoint":` + s.json() + `}`),
	} {
		facts, rejected := decoded(t, payload)
		if text := fmt.Sprint(facts, rejected); strings.Contains(text, "790123456789") || strings.Contains(text, "Nguyen") {
			t.Error(text)
		}
	}
}

// TestFlawOfAnOptionalFieldCostsTheField sends messages in which a field has another type or an impossible value: the
// point, the start and the end of the trip are kept.
func TestFlawOfAnOptionalFieldCostsTheField(t *testing.T) {
	var tickets, end encoder
	tickets.integer(1, 20_000)
	end.text(1, "29B-123.45")
	end.text(2, "32")
	end.integer(3, 1771257482)
	end.text(4, "east") // x, of another wire type
	end.integer(7, 5)
	end.integer(8, 2)
	end.message(9, tickets)
	var slow encoder
	slow.text(1, "29B-123.45")
	slow.text(3, "slow") // speed
	slow.integer(4, 1771257482)
	slow.double(5, 105.8)
	slow.double(6, 21)
	const jsonTrip = `{"msgType":"MsgType_BusTicketStartEndPoint","msgBusTicketStartEndPoint":{"vehicle":"29B-123.45",` +
		`"routecode":32,"datetime":1771257482,"x":"?","y":21,"tripno":5,"pointtype":"%s","tickets":[{"total":%s}]}}`
	for name, c := range map[string]struct {
		payload string
		event   string
		dropped string
	}{
		"END":        {string(base(501, end)), nhip.EventSignOff, "x tickets.total"},
		"JSON START": {fmt.Sprintf(jsonTrip, "START", `"none"`), nhip.EventSignOn, "x tickets.total"},
		"JSON END":   {fmt.Sprintf(jsonTrip, "END", "-1"), nhip.EventSignOff, "x tickets.total"},
		"speed":      {string(base(102, slow)), nhip.EventPosition, "speed"},
		"JSON doors": {
			`{"msgType":103,"msgBusWayPointBatch":{"vehicle":"29B-123.45","points":[{"datetime":1771257482,"x":105.8,"y":21,` +
				`"speed":"fast","heading":{},"door_up":1}]}}`, nhip.EventPosition, "speed heading door_up",
		},
	} {
		var facts nhip.Facts
		var fields []string
		err := Decoder.Decode(decode.Input{
			Topic: "nhip/in/ufms-bus/box", Payload: []byte(c.payload), Feed: &decode.Feed{Agency: "hanoi"},
			Reject: func(fault error) { t.Errorf("%s: %v", name, fault) },
			Drop:   func(_ string, field *nhip.Error) { fields = append(fields, field.Field) },
		}, &facts)
		if err != nil || len(facts.Positions) != 1 {
			t.Errorf("%s: %d positions, %v", name, len(facts.Positions), err)
			continue
		}
		p := facts.Positions[0]
		if got := strings.Join(fields, " "); got != c.dropped || p.Event != c.event || p.Boarded.Known() || p.Speed.Known() {
			t.Errorf("%s: dropped %q, %+v", name, got, p)
		}
		if p.Event != nhip.EventPosition && (p.Line != "32" || p.Trip != "32/5") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
