package live

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/hfp"
	"nhip/internal/topics"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestHFPTopic(t *testing.T) {
	e := newHFPEncoder()
	bus := nhip.Bus{
		ID: "0018/01029", Agency: "hsl", Lat: 60.12345, Lon: 24.78901, Route: "5520", Headsign: "Martinlaakso (M)",
		StartTime: "25:35",
		Direction: nhip.Some(0), NextStop: "4170293", Time: noon,
	}
	for _, c := range []struct {
		change func(*nhip.Bus)
		tail   string
	}{
		{func(*nhip.Bus) {}, "0018/01029/5520/1/Martinlaakso (M)/01:35/4170293/0/60;24/17/28/39/"},
		{func(*nhip.Bus) {}, "/4170293/5/60;24/17/28/39/"},
		{func(b *nhip.Bus) { b.Lat = 60.12346 }, "/4170293/5/60;24/17/28/39/"},
		{func(b *nhip.Bus) { b.Lon = 24.78911 }, "/4170293/4/60;24/17/28/39/"},
		{func(b *nhip.Bus) { b.Lat = 60.12446 }, "/4170293/3/60;24/17/28/49/"},
		{func(b *nhip.Bus) { b.Lon = 24.79911 }, "/4170293/2/60;24/17/29/49/"},
		{func(b *nhip.Bus) { b.Lat = 60.22446 }, "/4170293/1/60;24/27/29/49/"},
		{func(b *nhip.Bus) { b.Lat = 61.22446 }, "/4170293/0/61;24/27/29/49/"},
		{func(b *nhip.Bus) { b.NextStop = "EOL" }, "/EOL/0/61;24/27/29/49/"},
		{func(b *nhip.Bus) { b.Lat, b.Lon = -0.5, -179.99999 }, "/EOL/0/0;-179/59/09/09/"},
	} {
		c.change(&bus)
		topic, _ := e.message("t", &bus)
		if !strings.HasPrefix(topic, "nhip/live/hfp/v2/journey/ongoing/vp/bus/") || !strings.HasSuffix(topic, c.tail) {
			t.Errorf("%s, want …%s", topic, c.tail)
		}
	}
	e.forget("t")
	if topic, _ := e.message("t", &bus); !strings.Contains(topic, "/0/0;-179/") {
		t.Errorf("the first message after forget has the topic %s", topic)
	}
	odd := nhip.Bus{ID: "29B/1", Agency: "hà nội", Headsign: "Bến xe / Kim Mã #2", Route: "a/b", Lat: 21, Lon: 105}
	topic, _ := e.message("u", &odd)
	if levels := strings.Count(topic, "/"); levels != 20 || topics.CheckTopic(topic) != nil {
		t.Errorf("%s has %d slashes", topic, levels)
	}
}

// TestHFPOfInvalidStartTime: a start time from a journal of an earlier version may be any text.
func TestHFPOfInvalidStartTime(t *testing.T) {
	for _, start := range []string{"12:中", "12:\xff\xff", "中:00", "12", ":", "99999999999999999999:00", "12:/#"} {
		topic, payload := newHFPEncoder().message("t", &nhip.Bus{ID: "1", Agency: "a", StartTime: start, Lat: 21, Lon: 105})
		if err := topics.CheckTopic(topic); err != nil || strings.Contains(string(payload), `"start":"`) {
			t.Errorf("%q: %v, %s", start, err, payload)
		}
	}
}

// TestHFPRoundTrip decodes the message of a bus with our decoder of HSL's messages.
func TestHFPRoundTrip(t *testing.T) {
	bus := nhip.Bus{
		ID: "0018/01029", Agency: "hsl", Lat: 60.12345, Lon: 24.78901, Route: "5520", Line: "520",
		Headsign: "Martinlaakso (M)", StartTime: "17:35", StartDate: "20260216", Direction: nhip.Some(1),
		NextStop: "4170293", Stop: "4150208", Time: noon.Add(931 * time.Millisecond),
		Speed: nhip.Some(8.03), Bearing: nhip.Some(278.4), Delay: nhip.Some(240), DoorsOpen: nhip.Some(true),
	}
	topic, payload := newHFPEncoder().message("t", &bus)
	var facts nhip.Facts
	err := hfp.Decoder.Decode(decode.Input{
		Topic: strings.TrimPrefix(topic, "nhip/live"), Payload: payload, Received: noon,
		Feed:   &decode.Feed{Format: "hfp", Agency: "hsl"},
		Reject: func(err error) { t.Errorf("rejected: %v", err) },
	}, &facts)
	if err != nil || len(facts.Positions) != 1 || facts.Validate(noon) != nil {
		t.Fatalf("%s %s: %v, %v, %+v", topic, payload, err, facts.Validate(noon), facts)
	}
	p := facts.Positions[0]
	if p.Vehicle != bus.ID || p.Route != "5520" || p.Line != "520" || p.Headsign != bus.Headsign ||
		p.NextStop != bus.NextStop || p.Stop != bus.Stop || p.StartDate != bus.StartDate ||
		p.StartTime != bus.StartTime || !p.Time.Equal(bus.Time) || p.Speed != bus.Speed ||
		p.Bearing != nhip.Some(278.0) || p.Delay != bus.Delay || p.Direction != bus.Direction ||
		p.DoorsOpen != bus.DoorsOpen {
		t.Errorf("%+v became %+v", bus, p)
	}
}
