package odata

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 2, 12, 30, 5, 0, time.UTC)

func lookup(path []string) ([]any, error) {
	switch strings.Join(path, "/") {
	case "text":
		return []any{"Hồ Gươm"}, nil
	case "several":
		return []any{1.0, 5.0}, nil
	case "structure":
		return []any{struct{}{}}, nil
	}
	return []any{nil}, nil
}

func TestExpressions(t *testing.T) {
	for filter, want := range map[string]bool{
		"1 add 2 mul 3 eq 7":                                        true,
		"(1 add 2) mul 3 eq 9":                                      true,
		"7 mod 4 sub -1 eq 4":                                       true,
		"1 div 0 eq null":                                           true,
		"not (1 eq 1) or true":                                      true,
		"true or false and false":                                   true,
		"nothing eq null and not (nothing gt 1)":                    true,
		"several gt 4":                                              true,
		"several add 1 eq 2":                                        true,
		"several eq 3":                                              false,
		"length(text) eq 7 and indexof(text,'G') eq 3":              true,
		"substring(text,3) eq 'Gươm'":                               true,
		"substring(text,99,5) eq ''":                                true,
		"concat(tolower('A'),trim(' ''b ')) eq 'a''b'":              true,
		"endswith(text,'ươm') and contains(text,'Gư')":              true,
		"year(now()) eq 2026 and second(now()) eq 5":                true,
		"now() gt 2026-03-02T19:30:04+07:00":                        true,
		"now() lt maxdatetime() and now() gt mindatetime()":         true,
		"time(now()) eq '12:30:05.000'":                             true,
		"floor(1.5) eq 1 and ceiling(1.5) eq 2 and round(2.5) eq 3": true,
		"geo.distance(geography'POINT(105 21)',geography'POINT(105 22)') gt 111000":                   true,
		"geo.length(geography'LINESTRING(105 21,105 22)') lt 112000":                                  true,
		"geo.distance(geography'POINT(105 21)',geography'LINESTRING(104 22,106 22)') lt 112000":       true,
		"st_within(geography'POINT(1 1)',geography'POLYGON((0 0,2 0,2 2,0 2,0 0))')":                  true,
		"st_contains(geography'POLYGON((0 0,2 0,2 2,0 2,0 0))',geography'POINT(3 1)')":                false,
		"st_touches(geography'POINT(0 1)',geography'POLYGON((0 0,2 0,2 2,0 2,0 0))')":                 true,
		"st_disjoint(geography'POINT(3 1)',geography'POLYGON((0 0,2 0,2 2,0 2,0 0))')":                true,
		"geo.intersects(geography'POINT(1 0)',geography'LINESTRING(0 0,2 0)')":                        true,
		"st_equals(geography'POINT(1 0)',geography'POINT(1 0)')":                                      true,
		"geo.distance(geography'POINT(1 1)',geography'POLYGON((0 0,2 0,2 2,0 2,0 0))') eq 0 or false": true,
	} {
		e, err := ParseFilter(filter)
		if err != nil {
			t.Error(filter, err)
			continue
		}
		if got, err := e.Matches(&Context{lookup, now}); got != want || err != nil {
			t.Errorf("%s: %v %v", filter, got, err)
		}
	}
}

func TestFaultsNameTheirPosition(t *testing.T) {
	for filter, want := range map[string]string{
		"":                               "at 1: ends",
		"1 eq":                           "at 5: ends",
		"1 eq 'x":                        "at 6: ",
		"1 eq 1 1":                       "at 8: ",
		"(1 eq 1":                        "at 8: ",
		"a/1 eq 2":                       "at 3: ",
		"f(1)":                           "at 1: ",
		"length(1)":                      "at 1: length needs texts",
		"1 add true eq 2":                "at 3: ",
		"structure gt 1":                 "at 11: ",
		"2026-13-01 eq 1":                "at 1: ",
		"duration'P1D' eq 1":             "at 1: ",
		"geography'POINT(181 0)' eq 1":   "at 1: ",
		"geography'POLYGON' eq 1":        "at 1: ",
		"st_relate(1,1)":                 "at 1: ",
		"a eq ☃":                         "at 6: ",
		strings.Repeat("not ", 50) + "a": "nested",
		strings.Repeat("a", 5000):        "4096",
	} {
		e, err := ParseFilter(filter)
		if err == nil {
			_, err = e.Matches(&Context{lookup, now})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", filter, err, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"Things('a/b''(c)')/Datastreams": "[{Things a/b'(c) true} {Datastreams  false}]",
		"Things(1)/name/$value":          "[{Things 1 true} {name  false} {$value  false}]",
		"Things('a":                      "",
		"Things(a'b)":                    "",
		"Things()":                       "",
		"Things('a')b":                   "",
		strings.Repeat("a/", 20):         "",
	} {
		got, err := ReadPath(path)
		if text := fmt.Sprint(got); (err == nil) != (want != "") || err == nil && text != want {
			t.Errorf("%s: %s %v", path, text, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("geo.distance(a/b,geography'POINT(1 2)') lt 5e3 and not (c eq 'x''y' or d ge 2026-01-01T00:00:00Z)")
	f.Add("geography'MULTIPOLYGON(((0 0,1 1,1 0,0 0)))' eq substring(text,-1,2)")
	f.Fuzz(func(t *testing.T, filter string) {
		e, err := ParseFilter(filter)
		if err != nil {
			return
		}
		_, _ = e.Matches(&Context{lookup, now})
		for _, c := range e.Conjuncts() {
			c.Comparison()
		}
	})
}

func FuzzReadOptions(f *testing.F) {
	f.Add("$expand=A($select=b;$expand=C/D;$filter=x eq ')'),E&$top=1&$orderby=a/b desc")
	f.Fuzz(func(t *testing.T, query string) {
		_, _ = ReadOptions(query)
		_, _ = ReadPath(query)
	})
}
