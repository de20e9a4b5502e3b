package sta_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/api/scope"
	"nhip/api/sta"
	"nhip/internal/influx"

	"github.com/go-chi/chi/v5"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// storedHistory is a history in memory.
type storedHistory struct {
	catalog.History
	readings []nhip.AssessedReading // in order of time, station, quantity
	reviews  []nhip.Review
	queries  int
}

func (h *storedHistory) selected(q influx.SeriesQuery) (out []nhip.AssessedReading) {
	for _, r := range h.readings {
		if r.Time.After(q.From) && !r.Time.After(q.To) && (q.Stations == nil || slices.Contains(q.Stations, r.Station)) &&
			(q.Quantities == nil || slices.Contains(q.Quantities, r.Quantity)) {
			out = append(out, r)
		}
	}
	if q.Newest {
		slices.SortStableFunc(out, func(a, b nhip.AssessedReading) int { return b.Time.Compare(a.Time) })
	}
	return out
}

func (h *storedHistory) SeriesReadings(
	_ context.Context, q influx.SeriesQuery, yield func(nhip.AssessedReading) error,
) error {
	h.queries++
	for _, r := range h.selected(q) {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (h *storedHistory) CountReadings(_ context.Context, q influx.SeriesQuery) (int, error) {
	return len(h.selected(q)), nil
}

func (h *storedHistory) SeriesSpans(_ context.Context, yield func(influx.SeriesSpan) error) error {
	spans := make(map[influx.Series]influx.SeriesSpan)
	for _, r := range h.readings {
		key := influx.Series{Station: r.Station, Quantity: r.Quantity}
		span, ok := spans[key]
		if span.Series = key; !ok {
			span.First = r.Time
		}
		span.Last = r.Time
		spans[key] = span
	}
	for _, span := range spans {
		if err := yield(span); err != nil {
			return err
		}
	}
	return nil
}

func (h *storedHistory) Reviews(_ context.Context, station string, _ time.Time) ([]nhip.Review, error) {
	return slices.DeleteFunc(slices.Clone(h.reviews), func(r nhip.Review) bool { return r.Station != station }), nil
}

func (h *storedHistory) Stations(context.Context) (ids []string, err error) {
	for _, r := range h.readings {
		ids = append(ids, r.Station)
	}
	return ids, nil
}

// newHistory returns readings of two stations: hourly values from 1 to 12 of PM2.5 and PM10, until noon.
func newHistory() *storedHistory {
	h := new(storedHistory)
	for i := 1; i <= 12; i++ {
		for _, station := range []string{"o'b/1", "s2"} {
			for _, quantity := range []nhip.Quantity{nhip.PM10, nhip.PM25} {
				r := nhip.AssessedReading{Reading: nhip.Reading{
					Station: station, Quantity: quantity, Time: noon.Add(time.Duration(i-12) * time.Hour), Period: time.Hour,
					Value: float64(i), Flag: nhip.FlagGood,
				}, Assessment: nhip.Assessment{Flag: nhip.FlagGood}}
				if i == 5 {
					r.Assessment = nhip.Assessment{Flag: nhip.FlagFail, Tests: "spike=4"}
				}
				h.readings = append(h.readings, r)
			}
		}
	}
	h.reviews = []nhip.Review{{
		ID: "r", Station: "s2", From: noon.Add(-time.Hour), To: noon, Action: nhip.ActionExclude, Time: noon,
	}}
	return h
}

func newHandler(t testing.TB, h interface {
	sta.History
	catalog.History
},
) http.Handler {
	t.Helper()
	log, clock := slog.New(slog.DiscardHandler), livetest.NewClock(noon)
	state := live.New(live.Options{Clock: clock, Logger: log})
	for i, id := range []string{"o'b/1", "s2"} {
		livetest.ReceiveStation(t, state, nhip.Station{
			ID: id, Time: noon, Lat: nhip.Some(21.0), Lon: nhip.Some(105.8 + float64(i)/10),
			Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 12, Time: noon, Period: 3600, Flag: nhip.FlagGood}},
		})
	}
	handler := &sta.Handler{
		History: h, Live: state, Stations: catalog.New(state, h, log), Series: sta.NewSeries(h), Clock: clock,
		Slots: rest.NewQuerySlots(), Responder: rest.Responder{Logger: log, Ready: func() bool { return true }},
	}
	t.Cleanup(handler.Stations.Close)
	t.Cleanup(handler.Series.Close)
	r := chi.NewRouter()
	handler.RootRoutes(r)
	handler.Routes(r)
	handler.WriteRoutes(r)
	return r
}

type object = map[string]any

// ask returns an answer of status 200.
func ask(t testing.TB, h http.Handler, path string) object {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	if query != "" {
		parts := strings.Split(query, "&")
		for i, p := range parts {
			name, value, _ := strings.Cut(p, "=")
			parts[i] = name + "=" + url.QueryEscape(value)
		}
		query = "?" + strings.Join(parts, "&")
	}
	return askLink(t, h, "/sta/v1.1"+path+query)
}

func askLink(t testing.TB, h http.Handler, link string) object {
	t.Helper()
	link = link[strings.Index(link, "/sta/"):]
	w := resttest.Get(h, link)
	var o object
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", link, w.Code, w.Body)
	}
	return o
}

func list(o object) []any { l, _ := o["value"].([]any); return l }

// mandatory are the properties and relations of the requirements class datamodel.
var mandatory = map[string][2][]string{
	"Things":              {{"name", "description"}, {"Datastreams", "HistoricalLocations", "Locations"}},
	"Locations":           {{"name", "description", "encodingType", "location"}, {"HistoricalLocations", "Things"}},
	"HistoricalLocations": {{"time"}, {"Thing", "Locations"}},
	"Datastreams": {
		{"name", "description", "unitOfMeasurement", "observationType"},
		{"Thing", "Sensor", "ObservedProperty", "Observations"},
	},
	"Sensors":            {{"name", "description", "encodingType", "metadata"}, {"Datastreams"}},
	"ObservedProperties": {{"name", "definition", "description"}, {"Datastreams"}},
	"Observations":       {{"phenomenonTime", "result", "resultTime"}, {"Datastream", "FeatureOfInterest"}},
	"FeaturesOfInterest": {{"name", "description", "encodingType", "feature"}, {"Observations"}},
}

// TestSensingCore is what the conformance tests A.1 ask: every set, entity, property, value, path and reference.
func TestSensingCore(t *testing.T) {
	h := newHandler(t, newHistory())
	names := ""
	for _, s := range list(ask(t, h, "")) {
		names += s.(object)["name"].(string) + " "
	}
	if names != "Things Locations HistoricalLocations Datastreams Sensors ObservedProperties Observations "+
		"FeaturesOfInterest " {
		t.Error("the root has", names)
	}
	for set, members := range mandatory {
		all := list(ask(t, h, "/"+set))
		if len(all) == 0 {
			t.Fatal(set, "is empty")
		}
		for _, x := range all[:2] {
			checkEntity(t, h, set, x.(object), members)
		}
		for _, id := range []string{"(9223372036854775807)", "('none')", "('a:pm25')", "('s2:pm25:1h:1')"} {
			if w := resttest.Get(h, "/sta/v1.1/"+set+id); w.Code != http.StatusNotFound {
				t.Errorf("%s%s: %d", set, id, w.Code)
			}
		}
	}
}

func checkEntity(t *testing.T, h http.Handler, set string, e object, members [2][]string) {
	t.Helper()
	self, _ := e["@iot.selfLink"].(string)
	if one := askLink(t, h, self); one["@iot.id"] != e["@iot.id"] || e["@iot.id"] == nil {
		t.Errorf("%s leads to %v", self, one["@iot.id"])
	}
	path := self[strings.Index(self, "/sta/"):]
	for _, name := range members[0] {
		if _, ok := e[name]; !ok {
			t.Errorf("%s lacks %s", self, name)
		}
		if one := askLink(t, h, path+"/"+name); len(one) != 1 {
			t.Errorf("%s/%s: %v", path, name, one)
		}
		w := resttest.Get(h, path+"/"+name+"/$value")
		structure := name == "location" || name == "feature" || name == "unitOfMeasurement"
		if w.Code != http.StatusOK || strings.HasPrefix(w.Body.String(), "{") != structure {
			t.Errorf("%s/%s/$value: %d %s", path, name, w.Code, w.Body)
		}
	}
	for _, name := range members[1] {
		link, _ := e[name+"@iot.navigationLink"].(string)
		to, single := askLink(t, h, link), !strings.HasSuffix(name, "s")
		if single && to["@iot.id"] == nil || !single && len(list(to)) == 0 {
			t.Errorf("%s: %v", link, to)
		}
		ref := askLink(t, h, link+"/$ref")
		if !single {
			ref = list(ref)[0].(object)
		}
		if len(ref) != 1 || ref["@iot.selfLink"] == nil {
			t.Errorf("%s/$ref: %v", link, ref)
		}
		if selected := list(ask(t, h, "/"+set+"?$select="+members[0][0])); len(selected[0].(object)) != 1 {
			t.Errorf("$select: %v", selected[0])
		}
		if x := list(ask(t, h, "/"+set+"?$expand="+name))[0].(object); x[name] == nil {
			t.Errorf("%s?$expand=%s: %v", set, name, x)
		}
	}
}

// results returns the results, or else the ids, of a set, and those of the pages behind it.
func results(t testing.TB, h http.Handler, path string) string {
	t.Helper()
	var out []string
	for o := ask(t, h, path); ; {
		for _, x := range list(o) {
			e := x.(object)
			out = append(out, fmt.Sprint(cmp.Or(e["result"], e["@iot.id"])))
		}
		next, ok := o["@iot.nextLink"].(string)
		if !ok {
			return strings.Join(out, " ")
		}
		o = askLink(t, h, next)
	}
}

const dsPath = "/Datastreams('s2:pm25')/Observations"

// TestFiltering asks what the conformance tests A.2 do, and functions, of one datastream and of sets.
func TestFiltering(t *testing.T) {
	h := newHandler(t, newHistory())
	for _, c := range []struct{ path, want string }{
		{dsPath + "?$top=5&$filter=result ge 8", "12 11 10 9 8"},
		{dsPath + "?$top=2&$orderby=phenomenonTime&$filter=result ge 8", "8 9 10 11 12"},
		{dsPath + "?$top=2&$orderby=result desc&$filter=result lt 4", "3 2 1"},
		{dsPath + "?$skip=9", "3 2 1"},
		{dsPath + "?$skip=20", ""},
		{dsPath + "?$filter=result gt '3' and result le '4'", "4"},
		{dsPath + "?$filter=phenomenonTime ge 2026-03-02T11:00:00Z", "12 11"},
		{dsPath + "?$filter=phenomenonTime eq 2026-03-02T10:00:00Z/2026-03-02T11:00:00Z", "11"},
		{dsPath + "?$filter=hour(resultTime) eq 10 or (day(resultTime) eq 2 and minute(resultTime) ne 0)", "10"},
		{dsPath + "?$filter=(result add 1) mul 2 eq 8 or -result eq -6", "6 3"},
		{dsPath + "?$filter=not (result mod 2 eq 0) and round(result div 2) gt 5", "11"},
		{dsPath + "?$filter=resultQuality/flag eq 4", "s2:pm25:1h:1772427600000"},
		{dsPath + "?$filter=result eq 5 and parameters/level eq 'automatic'", ""},
		{dsPath + "?$filter=resultTime gt now() or date(resultTime) lt 2026-03-02", ""},
		{
			"/Observations?$filter=Datastream/Thing/id eq 's2' and Datastream/ObservedProperty/id eq 'pm10' and result le 2",
			"2 1",
		},
		{"/Observations?$top=3&$filter=result eq 7 or result eq 6", "7 7 7 7 6 6 6 6"},
		{"/FeaturesOfInterest('s2')/Observations?$filter=result eq 7", "7 7"},
		{"/Things?$filter=geo.distance(Locations/location, geography'POINT(105.8 21)') lt 1000", "o'b/1"},
		{"/Locations?$filter=st_within(location, geography'POLYGON((105.85 20,106 20,106 22,105.85 22,105.85 20))')", "s2"},
		{"/Things?$filter=startswith(name,'o''b') and length(name) eq 5 and substringof('b/',name)", "o'b/1"},
		{"/Datastreams?$filter=unitOfMeasurement/symbol eq 'µg/m³' and ObservedProperty/id eq 'pm25'", "o'b/1:pm25 s2:pm25"},
		{"/Things?$filter=Datastreams/ObservedProperty/id eq 'pm10'&$orderby=name desc", "s2 o'b/1"},
		{"/Things('o''b/1')/Datastreams?$top=1", "o'b/1:pm10 o'b/1:pm25"},
		{"/ObservedProperties?$filter=toupper(substring(name,0,3)) eq 'FIN'", "pm25"},
	} {
		if got := results(t, h, c.path); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	o := ask(t, h, dsPath+"?$count=true&$top=1&$skip=2&$orderby=phenomenonTime&$filter=result gt '3'")
	if o["@iot.count"] != 8.0 || len(list(o)) != 1 || list(o)[0].(object)["result"] != 7.0 { // 5 has failed the checks
		t.Error(o)
	}
	if o = ask(t, h, "/Observations?$count=true&$top=1"); o["@iot.count"] != 48.0 {
		t.Error(o)
	}
}

// TestLevels asks for the levels of a reading that a reviewer excluded.
func TestLevels(t *testing.T) {
	h := newHandler(t, newHistory())
	for level, want := range map[string]any{"automatic": 12.0, "reviewed": nil} {
		o := list(ask(t, h, dsPath+"?$top=1&$filter=parameters/level eq '"+level+"'"))[0].(object)
		if o["result"] != want {
			t.Errorf("%s: %v", level, o)
		}
	}
	if w := resttest.Get(h,
		"/sta/v1.1/Observations?$filter="+url.QueryEscape("parameters/level eq 'raw'")); w.Code != 401 {
		t.Errorf("raw values: %d", w.Code)
	}
}

func TestExpandAndDataArray(t *testing.T) {
	h := newHandler(t, newHistory())
	o := ask(t, h, "/Observations?$top=3&$expand=Datastream($select=name;$expand=Thing($select=id)),FeatureOfInterest")
	thing := list(o)[0].(object)["Datastream"].(object)["Thing"].(object)
	if thing["@iot.id"] != "o'b/1" || len(thing) != 2 {
		t.Error(thing)
	}
	o = list(ask(t, h, "/Datastreams?$expand=Observations($top=2;$filter=result gt 3;$count=true)"))[0].(object)
	next, _ := o["Observations@iot.nextLink"].(string)
	if got := list(askLink(t, h, next)); o["Observations@iot.count"] != 8.0 || len(got) != 2 ||
		got[0].(object)["result"] != 10.0 {
		t.Error(o, got)
	}
	o = list(ask(t, h, "/Observations?resultFormat=dataArray&$select=result,phenomenonTime&$top=8"))[1].(object)
	if got := fmt.Sprint(o["components"], o["dataArray"], o["dataArray@iot.count"]); got !=
		"[result phenomenonTime] [[12 2026-03-02T11:00:00Z/2026-03-02T12:00:00Z] "+
			"[11 2026-03-02T10:00:00Z/2026-03-02T11:00:00Z]] 2" {
		t.Error(got)
	}
}

// TestWritesAreRefused sends what would change something.
func TestWritesAreRefused(t *testing.T) {
	h := newHandler(t, newHistory())
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/sta/v1.1/Things('s2')", strings.NewReader("{}")))
		if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "read-only") {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}

// TestBadRequests are answered with what is wrong.
func TestBadRequests(t *testing.T) {
	h := newHandler(t, newHistory())
	for _, c := range []struct {
		path string
		want int
		text string
	}{
		{"/Nothing", 404, "Nothing"},
		{"/Things(1", 400, "id"},
		{"/Things('s2')x", 400, "path"},
		{"/Things/name", 404, "name"},
		{"/Things('s2')/Datastreams('o''b/1:pm10')", 404, "Datastream"},
		{"/Things('s2')/name/x", 404, "x"},
		{"/Things?$filter=name eq", 400, "at 8: ends"},
		{"/Things?$filter=nothing eq 1", 400, "nothing"},
		{"/Things?$filter=frobnicate(name)", 400, "at 1: "},
		{"/Things?$filter=length(name,name)", 400, "arguments"},
		{"/Things?$filter=name gt geography'POINT(1 x)'", 400, "WKT"},
		{"/Things?$filter=Datastreams/Observations/result gt 1", 400, "Observations"},
		{"/Things?$filter=name add 1 eq 2", 400, "add needs numbers"},
		{"/Observations?$filter=result gt true", 400, "compare"},
		{"/Things?$filter=" + strings.Repeat("(", 100), 400, "nested"},
		{"/Things?$filter=" + strings.Repeat("1 eq 1 or ", 300), 400, "parts"},
		{"/Things?$expand=Datastreams/Thing/Datastreams/Thing/Datastreams/Thing", 400, "deep"},
		{"/Things?$expand=Sensor", 400, "relation"},
		{"/Things?$expand=Datastreams($top=1", 400, "parentheses"},
		{"/Things?$select=x", 400, "$select"},
		{"/Things?$top=-1", 400, "$top"},
		{"/Things?$orderby=name up", 400, "$orderby"},
		{"/Things?$orderby=properties", 400, "order"},
		{"/Things?$search=x", 400, "$search"},
		{"/Things('s2')?$top=1", 400, "one entity"},
		{"/Things?resultFormat=dataArray", 400, "resultFormat"},
		{"/Observations?$skiptoken=x", 400, "$skiptoken"},
		{"/Observations?$skip=10001", 400, "$skip"},
	} {
		path, query, _ := strings.Cut(c.path, "?")
		name, value, _ := strings.Cut(query, "=")
		w := resttest.Get(h, "/sta/v1.1"+path+"?"+name+"="+url.QueryEscape(value))
		if query == "" {
			w = resttest.Get(h, "/sta/v1.1"+path)
		}
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}

// TestPagesHaveEveryReadingOnce reads sets of stations whose readings end and begin at various times, in pages of
// various sizes.
func TestPagesHaveEveryReadingOnce(t *testing.T) {
	stored := newHistory()
	stored.readings = slices.DeleteFunc(stored.readings, func(r nhip.AssessedReading) bool {
		hour := r.Time.Hour()
		return r.Station == "s2" && (r.Quantity == nhip.PM10 && hour > 9 || hour < 4) || hour == 5
	})
	h := newHandler(t, stored)
	id := func(r nhip.AssessedReading) string {
		return fmt.Sprintf("%s:%s:1h:%d", r.Station, r.Quantity, r.Time.UnixMilli())
	}
	for _, order := range []string{"", "&$orderby=phenomenonTime"} {
		var want []string
		for _, r := range stored.selected(influx.SeriesQuery{To: noon, Newest: order == ""}) {
			want = append(want, id(r))
		}
		for _, top := range []int{1, 2, 3, 7, 100} {
			path := fmt.Sprintf("/Observations?$select=id&$top=%d%s", top, order)
			if got := results(t, h, path); got != strings.Join(want, " ") {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
	}
}

// TestScopeHidesStations asks as a caller who sees one station, also by its filters, counts and ids.
func TestScopeHidesStations(t *testing.T) {
	h := newHandler(t, newHistory())
	view := scope.New(nhip.Scope{Stations: []string{"s2"}}, nil)
	limited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(scope.With(r.Context(), view)))
	})
	hidden := strings.NewReplacer("ID", "o''b/1")
	for path, want := range map[string]float64{
		"/Things?$count=true": 1, "/Observations?$count=true": 24, "/Datastreams?$count=true": 2,
		hidden.Replace("/Observations?$count=true&$filter=Datastream/Thing/id eq 'ID'"): 0,
		hidden.Replace("/Observations?$count=true&$filter=Datastream/id eq 'ID:pm25'"):  0,
	} {
		if o := ask(t, limited, path); o["@iot.count"] != want || len(list(o)) != int(want) {
			t.Errorf("%s: %v with %d", path, o["@iot.count"], len(list(o)))
		}
	}
	for _, path := range []string{
		"/Things('ID')", "/Locations('ID')", "/Datastreams('ID:pm25')/Observations", "/FeaturesOfInterest('ID')",
		fmt.Sprintf("/Observations('ID:pm25:1h:%d')", noon.UnixMilli()), "/Things('ID')/name/$value",
	} {
		if w := resttest.Get(limited, "/sta/v1.1"+hidden.Replace(path)); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
