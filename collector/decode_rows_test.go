package collector

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/record"
)

// rowsAt is the time of the facts of these tests.
var rowsAt = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// rowsClock is at rowsAt.
type rowsClock struct{}

func (rowsClock) Now() time.Time { return rowsAt }

// table returns a CSV table of values, the first one in line 2.
func table(values ...string) []byte {
	b := []byte("time,quantity,mean,unit,period\n")
	for i, v := range values {
		at := rowsAt.Add(time.Duration(i-len(values)) * time.Minute)
		b = fmt.Appendf(b, "%s,pm25,%s,µg/m³,1m\n", at.Format(time.RFC3339), v)
	}
	return b
}

// TestFaultsOfRangesNameTheirRow decodes messages with several rows, of which some have values or places out of range.
func TestFaultsOfRangesNameTheirRow(t *testing.T) {
	at := rowsAt.Format(time.RFC3339)
	for _, c := range []struct {
		format, topic, payload, want string // the fields of the faults
	}{
		{
			"csv", "nhip/in/import/csv/s", string(table("20", "99999", "x", "21", "-5000")),
			"line 4 mean; line 3 values.pm25; line 6 values.pm25",
		},
		{
			"reading", "nhip/in/reading/s", strings.ReplaceAll(`[{"time":"NOW","period":"1m","values":{"pm25":20}},`+
				`{"time":"NOW","period":"1m","values":{"pm25":20,"humidity":900}},`+
				`{"time":"2031-01-01T00:00:00Z","period":"1m","values":{"pm10":3}}]`, "NOW", at),
			"[1].values.humidity; [2].time",
		},
		{
			"position", "nhip/in/position/b", `[{"time":"` + at + `","lat":21,"lon":105.8},{"time":"` + at +
				`","lat":95,"lon":105.8}]`, "[1].lat",
		},
		{"position", "nhip/in/position/b", `{"time":"` + at + `","lat":95,"lon":105.8}`, "lat"},
		{
			"openaq", "nhip/in/import/openaq/x", `{"results":[` + openAQ(20) + `,` + openAQ(90_000) + `]}`,
			"results[1] values.pm25",
		},
	} {
		d, err := Decode(decode.Feed{Format: c.format, Agency: "hanoi"}, nhip.Message{
			Topic: c.topic, Payload: []byte(c.payload), Received: rowsAt,
		}, rowsClock{}, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for i := range d.Rejected {
			fields = append(fields, d.Rejected[i].Field)
		}
		if got := strings.Join(fields, "; "); got != c.want || len(d.Facts.Readings)+len(d.Facts.Positions) == 0 &&
			strings.HasPrefix(c.want, "[") {
			t.Errorf("%s: %s, want %s; %v", c.format, got, c.want, d.Rejected)
		}
	}
}

// openAQ returns a measurement of OpenAQ.
func openAQ(value float64) string {
	return fmt.Sprintf(`{"value":%v,"parameter":{"name":"pm25","units":"µg/m³"},"period":{"interval":"01:00:00",`+
		`"datetimeTo":{"utc":"%s"},"datetimeFrom":{"utc":"%s"}}}`, value, rowsAt.Format(time.RFC3339),
		rowsAt.Add(-time.Hour).Format(time.RFC3339))
}

// TestManyFaultsOfRangesShareARejection: each rejection is a dead letter that contains the whole payload.
func TestManyFaultsOfRangesShareARejection(t *testing.T) {
	values := make([]string, 100)
	for i := range values {
		values[i] = fmt.Sprint(90_000 + i)
	}
	feeds, err := bindFeeds([]decode.Feed{{Topic: "#", Format: "csv", Agency: "hanoi"}})
	if err != nil {
		t.Fatal(err)
	}
	d := decodeStage{feeds: feeds, clock: rowsClock{}, late: math.MaxInt64}
	var o record.Outcome
	message := nhip.Message{Topic: "nhip/in/import/csv/s", Payload: table(values...), Received: rowsAt}
	d.evaluate(message, &o)
	rows := 0
	for i := range o.Rejections {
		rows += o.Rejections[i].Rows
	}
	if rows != 100 || len(o.Rejections) != decode.MaxOwnFaults+1 || o.Rejections[0].Err.Field != "line 2 values.pm25" {
		t.Errorf("%d rows in %d rejections: %+v", rows, len(o.Rejections), o.Rejections[0])
	}
	all, err := Decode(decode.Feed{Format: "csv", Agency: "hanoi"}, message, rowsClock{}, math.MaxInt64)
	if err != nil || len(all.Rejected) != 100 || all.Rejected[99].Field != "line 101 values.pm25" {
		t.Errorf("tools show %d faults, %v", len(all.Rejected), err)
	}
}
