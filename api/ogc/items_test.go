package ogc

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"nhip"
	"nhip/api/rest"

	"github.com/paulmach/orb"
)

func query(name, value string) *rest.Query {
	return rest.ReadQuery(httptest.NewRequest("GET", "/?"+url.Values{name: {value}}.Encode(), nil), name)
}

func TestDatetimeIsInstantOrInterval(t *testing.T) {
	const at, later = "2026-02-16T00:00:00Z", "2026-02-17T00:00:00Z"
	begin := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(0, 0, 1)
	for text, want := range map[string]timeSpan{
		at:                {begin, begin, true},
		at + "/" + later:  {begin, end, true},
		at + "/..":        {begin, time.Time{}, true},
		at + "/":          {begin, time.Time{}, true},
		"../" + later:     {time.Time{}, end, true},
		"/" + later:       {time.Time{}, end, true},
		at + "/" + at:     {begin, begin, true},
		later + "/" + at:  {},
		"..":              {},
		"../..":           {},
		"today":           {},
		at + "/" + "soon": {},
	} {
		q := query("datetime", text)
		got := readDatetime(q, "datetime")
		if failed := q.Err != nil; failed != (want == timeSpan{}) {
			t.Errorf("%s: error %v", text, q.Err)
		} else if !failed && !(got.from.Equal(want.from) && got.to.Equal(want.to) && got.given) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	q := rest.ReadQuery(httptest.NewRequest("GET", "/", nil), "datetime")
	if got := readDatetime(q, "datetime"); got.given || q.Err != nil {
		t.Errorf("no parameter: %v, %v", got, q.Err)
	}
}

func TestTimeSpanIncludesItsEnds(t *testing.T) {
	begin := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	end := begin.Add(time.Hour)
	span, open := timeSpan{begin, end, true}, timeSpan{from: begin, given: true}
	for _, c := range []struct {
		name string
		span timeSpan
		at   time.Time
		want bool
	}{
		{"start", span, begin, true},
		{"end", span, end, true},
		{"before", span, begin.Add(-1), false},
		{"after", span, end.Add(1), false},
		{"after an open end", open, end.AddDate(9, 0, 0), true},
		{"any time", anyTime, begin, true},
		{"no time", span, time.Time{}, true},
	} {
		if got := c.span.contains(c.at); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestLimitAboveMaximumIsMaximum(t *testing.T) {
	for text, want := range map[string]int{
		"1": 1, "10000": maxLimit, "10001": maxLimit, "99999999999999999999": maxLimit, "0": 0, "-1": 0, "x": 0, "1.5": 0,
	} {
		q := query("limit", text)
		if got := readLimit(q, "limit"); (q.Err == nil) != (want > 0) || q.Err == nil && got != want {
			t.Errorf("%s: %d, %v", text, got, q.Err)
		} else if q.Err != nil && nhip.ErrorCode(q.Err) != nhip.CodeInvalid {
			t.Errorf("%s: %v", text, q.Err)
		}
	}
}

func TestBoxIgnoresHeights(t *testing.T) {
	for _, text := range []string{"105,20,106,21", "105,20,-50,106,21,9000"} {
		q := query("bbox", text)
		box, given := readBox(q, "bbox")
		if !given || q.Err != nil || !box.Contains(orb.Point{105.5, 20.5}) || box.Contains(orb.Point{106.5, 20.5}) {
			t.Errorf("%s: %v, %t, %v", text, box, given, q.Err)
		}
	}
}
