package influx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// testSeries reads two quantities of three stations in both orders, counts them and asks for their spans.
func testSeries(t *testing.T, db database) {
	for i, station := range []string{"z", "a b", "c,d"} {
		for hour := range 3 {
			for _, q := range []nhip.Quantity{nhip.PM25, nhip.CO} {
				write(t, db, nhip.Reading{
					Station: station, Quantity: q, Time: noon.Add(time.Duration(hour-i) * time.Hour), Period: time.Hour, Value: 1,
					Flag: nhip.FlagGood,
				})
			}
		}
	}
	for _, c := range []struct {
		query influx.SeriesQuery
		want  string
	}{
		{influx.SeriesQuery{From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Newest: true}, "" +
			"a b co 13,a b pm25 13,z co 13,z pm25 13,a b co 12,a b pm25 12,c,d co 12,c,d pm25 12,z co 12,z pm25 12"},
		{influx.SeriesQuery{
			Stations: []string{"a b", "c,d"}, Quantities: []nhip.Quantity{nhip.CO}, From: noon.Add(-2 * time.Hour),
			To: noon.Add(time.Hour),
		}, "a b co 11,c,d co 11,a b co 12,c,d co 12,a b co 13"},
	} {
		var got []string
		err := db.SeriesReadings(t.Context(), c.query, func(r nhip.AssessedReading) error {
			got = append(got, fmt.Sprint(r.Station, " ", r.Quantity, " ", r.Time.Hour()))
			return nil
		})
		if text := strings.Join(got, ","); text != c.want || err != nil {
			t.Errorf("%+v: %s %v", c.query, text, err)
		}
		if n, err := db.CountReadings(t.Context(), c.query); n != len(got) || err != nil {
			t.Errorf("counted %d %v, read %d", n, err, len(got))
		}
	}
	var spans []string
	err := db.SeriesSpans(t.Context(), func(s influx.SeriesSpan) error {
		spans = append(spans, fmt.Sprint(s.Station, " ", s.Quantity, " ", s.First.Hour(), "-", s.Last.Hour()))
		return nil
	})
	if got := strings.Join(spans, ";"); err != nil ||
		got != "a b co 11-13;a b pm25 11-13;c,d co 10-12;c,d pm25 10-12;z co 12-14;z pm25 12-14" {
		t.Error(got, err)
	}
	if _, err := db.CountReadings(t.Context(), influx.SeriesQuery{
		Stations: []string{""}, From: noon, To: noon.Add(1),
	}); nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Error(err)
	}
}
