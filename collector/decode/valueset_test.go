package decode_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestValueSetKeepsOneValuePerQuantity(t *testing.T) {
	var facts nhip.Facts
	b := decode.ValueSet{Station: "s", Time: noon, Period: time.Minute, Point: nhip.Some(orb.Point{105.8, 21})}
	if !b.Empty() {
		t.Error("new set is not empty")
	}
	b.Add(nhip.PM25, 12)
	b.AddKnown(nhip.PM10, nhip.Opt[float64]{})
	b.Offer(nhip.Temperature, 30, decode.Instrument{Rank: 2})
	b.Offer(nhip.Temperature, 20, decode.Instrument{Rank: 1, Name: []byte("b")})
	b.Offer(nhip.Temperature, 21, decode.Instrument{Rank: 1, Name: []byte("a")})
	b.Offer(nhip.Temperature, 22, decode.Instrument{Rank: 1, Name: []byte("c")})
	b.AddKnown(nhip.Pressure, nhip.Some(1000.0))
	b.Convert(nhip.Pressure, func(hPa float64) float64 { return hPa * 100 })
	b.AppendTo(&facts)

	common := nhip.Reading{
		Station: "s", Time: noon, Period: time.Minute, Flag: nhip.FlagNotEvaluated, Point: nhip.Some(orb.Point{105.8, 21}),
	}
	var want []nhip.Reading
	for _, v := range []struct {
		q nhip.Quantity
		v float64
	}{{nhip.PM25, 12}, {nhip.Temperature, 21}, {nhip.Pressure, 100_000}} {
		r := common
		r.Quantity, r.Value = v.q, v.v
		want = append(want, r)
	}
	if diff := cmp.Diff(want, facts.Readings,
		cmp.AllowUnexported(nhip.Opt[orb.Point]{}, nhip.Opt[[2]float64]{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if b.Empty() || b.Has(nhip.PM10) || !b.Has(nhip.PM25) {
		t.Error("Empty or Has is wrong")
	}
}

func TestValueSetIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offers := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) decode.Instrument {
			return decode.Instrument{
				Rank: rapid.IntRange(0, 2).Draw(t, "rank"), Name: []byte(rapid.StringMatching("[A-C]{0,2}").Draw(t, "name")),
			}
		}), 1, 6, func(i decode.Instrument) string { return string(rune('0'+i.Rank)) + string(i.Name) }).Draw(t, "offers")
		shuffled := rapid.Permutation(offers).Draw(t, "shuffled")
		if a, b := choice(offers), choice(shuffled); a != b {
			t.Fatalf("%v keeps %q, %v keeps %q", offers, a, shuffled, b)
		}
	})
}

// choice returns the name of the instrument whose value a set keeps. Each instrument has a different value.
func choice(offers []decode.Instrument) string {
	values := make(map[float64]string)
	var b decode.ValueSet
	for _, by := range offers {
		v := float64(by.Rank + 1)
		for _, c := range by.Name {
			v = v*256 + float64(c)
		}
		values[v] = string(by.Name)
		b.Offer(nhip.PM25, v, by)
	}
	var facts nhip.Facts
	b.AppendTo(&facts)
	return values[facts.Readings[0].Value]
}

func TestValueSetHoldsEveryQuantity(t *testing.T) {
	var b decode.ValueSet
	for _, q := range []nhip.Quantity{
		nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP, nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3,
		nhip.Temperature, nhip.Humidity, nhip.Pressure,
	} {
		b.Add(q, 1)
	}
	var facts nhip.Facts
	if b.AppendTo(&facts); len(facts.Readings) != 12 {
		t.Errorf("%d readings, want 12", len(facts.Readings))
	}
}

func TestFeedPeriod(t *testing.T) {
	if got := new(decode.Feed).PeriodOr(time.Minute); got != time.Minute {
		t.Errorf("feed without a period: %s, want 1m", got)
	}
	if got := (&decode.Feed{Period: time.Hour}).PeriodOr(time.Minute); got != time.Hour {
		t.Errorf("feed with a period of 1 h: %s", got)
	}
	in := decode.Input{Received: time.Date(2026, 2, 16, 19, 0, 0, 1_999_999, time.FixedZone("", 7*3600))}
	if got := in.Arrival(); !got.Equal(noon.Add(time.Millisecond)) || got.Location() != time.UTC {
		t.Errorf("arrival is %s", got)
	}
}

func TestCelsius(t *testing.T) {
	for f, want := range map[float64]float64{32: 0, 212: 100, -40: -40} {
		if got := decode.Celsius(f); got != want {
			t.Errorf("%v °F are %v °C, want %v", f, got, want)
		}
	}
}
