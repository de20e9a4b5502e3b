package open311

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/senders"
	"nhip/geo/geotest"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// coordinates returns the fields lat and long of a point.
func coordinates(p orb.Point) []string {
	return []string{"lat", fmt.Sprintf("%.6f", p.Lat()), "long", fmt.Sprintf("%.6f", p.Lon())}
}

// metresFrom returns how far a report is from a point.
func metresFrom(r *nhip.CitizenReport, p orb.Point) float64 {
	return geo.DistanceHaversine(p, orb.Point{r.Lon.Or(0), r.Lat.Or(0)})
}

func TestReportIsEnriched(t *testing.T) {
	s := newServer(t, nil)
	r := s.report(t, append(coordinates(geotest.At(1060)), "service_code", "no-bus", "description", " chờ\r\n30 phút\x07 ",
		"email", "lan@example.com", "phone", "0912345678")...)
	if r.Text != "chờ\n30 phút" || r.App != "app1" || !r.Received.Equal(livetest.Noon) {
		t.Errorf("%+v", r)
	}
	if r.Place != nhip.ReportAtStop || metresFrom(r, geotest.At(1000)) > 1 {
		t.Errorf("kept at %s, %v %v", r.Place, r.Lat, r.Lon)
	}
	k := r.Known
	if k.Stop == nil || k.Stop.Distance.Or(1) != 0 || k.Bus == nil || k.Bus.Line != "32" || k.Bus.Named {
		t.Errorf("stop %+v, bus %+v", k.Stop, k.Bus)
	}
	if len(k.Zones) != 1 || k.Zones[0].ID != "district/ba-dinh" {
		t.Errorf("zones %+v", k.Zones)
	}
	c, _ := s.state.Contact(r.ID)
	if c == nil || c.Email != "lan@example.com" || c.Report != r.ID {
		t.Errorf("contact %+v", c)
	}
}

func TestReportHasTheAir(t *testing.T) {
	s := newServer(t, nil)
	r := s.report(t, append(coordinates(livetest.MonitorPoint(3)), "service_code", "smoke", "attribute[source]", "burning",
		"attribute[own_position]", "yes")...)
	if r.Known.Station != livetest.MonitorID(3) || r.Known.Air == nil || r.Known.Air.Values[nhip.PM25] < 40 ||
		r.Known.Air.Value < 50 || r.Attributes["source"][0] != "burning" {
		t.Errorf("%+v %+v", r.Known.Air, r)
	}
}

func TestOwnPositionStaysOnlyIfTicked(t *testing.T) {
	s := newServer(t, nil)
	here, far := geotest.At(1060), orb.Point{105.1234567, 20.7654321}
	for _, c := range []struct {
		name   string
		at     orb.Point
		fields []string
		place  nhip.ReportPlace
		from   orb.Point // the position that is kept
		within float64
	}{
		{"stop near", here, nil, nhip.ReportAtStop, geotest.At(1000), 1},
		{"ticked", here, []string{"attribute[own_position]", "yes"}, nhip.ReportAtSender, here, 1},
		{"not ticked", here, []string{"attribute[own_position]", "no"}, nhip.ReportAtStop, geotest.At(1000), 1},
		{"bus named", here, []string{"attribute[bus]", "29b12345"}, nhip.ReportAtBus, geotest.At(1000), 1},
		{"no stop near", far, nil, nhip.ReportNearby, far, 500},
	} {
		r := s.report(t, append(append(coordinates(c.at), "service_code", "crowding", "device_id", c.name), c.fields...)...)
		if r.Place != c.place || metresFrom(r, c.from) > c.within {
			t.Errorf("%s: %s, %.0f m away", c.name, r.Place, metresFrom(r, c.from))
		}
		if c.place == nhip.ReportNearby && metresFrom(r, far) < 5 {
			t.Errorf("%s: the position is not rounded", c.name)
		}
		raw, _ := json.Marshal(r)
		if kept := fmt.Sprintf("%.6f", c.at.Lat())[:8]; c.place != nhip.ReportAtSender && c.at == far &&
			strings.Contains(string(raw), kept) {
			t.Errorf("%s: the sender's position is in %s", c.name, raw)
		}
	}
}

func TestPlaceMayBeAddressOrStopAlone(t *testing.T) {
	s := newServer(t, nil)
	r := s.report(t, "service_code", "waste", "address_string", "12 Hàng Bạc")
	if r.Place != nhip.ReportNowhere || r.Lat.Known() {
		t.Errorf("%+v", r)
	}
	if raw, _ := json.Marshal(r); strings.Contains(string(raw), "Hàng") {
		t.Error("the address is in the report")
	}
	w := s.get("/open311/v2/requests/" + r.ID + ".json")
	if strings.Contains(w.Body.String(), "Hàng") || !strings.Contains(w.Body.String(), `"lat":null`) {
		t.Errorf("%s", w.Body)
	}
	stop := s.report(t, "service_code", "stop-condition", "attribute[stop]", "S2")
	if stop.Place != nhip.ReportAtStop || stop.Known.Stop.ID != "S2" {
		t.Errorf("%+v", stop)
	}
}

func TestBadReportsAreRefused(t *testing.T) {
	s := newServer(t, nil)
	good := []string{"api_key", appKey, "service_code", "smoke", "lat", "21.0", "long", "105.8"}
	for _, c := range []struct {
		change []string // fields to set
		status int
		want   string
	}{
		{[]string{"api_key", ""}, 403, "api_key"},
		{[]string{"api_key", "wrong"}, 403, "api_key"},
		{[]string{"service_code", ""}, 400, "service_code: is required"},
		{[]string{"service_code", "nonsense"}, 404, "service_code"},
		{[]string{"lat", "91"}, 400, "lat: must be degrees"},
		{[]string{"lat", "NaN"}, 400, "lat: must be degrees"},
		{[]string{"lat", ""}, 400, "lat: is required with long"},
		{[]string{"long", ""}, 400, "long: is required with lat"},
		{[]string{"lat", "", "long", ""}, 400, "a place is required"},
		{[]string{"lat", "0", "long", "0"}, 400, "lat: 0,0"},
		{[]string{"description", strings.Repeat("ạ", 4001)}, 400, "description: must be at most 4000 characters"},
		{[]string{"address_string", strings.Repeat("x", 300)}, 400, "address_string"},
		{[]string{"description", strings.Repeat("<", 4000)}, 400, "description: must be shorter"},
		{[]string{"media_url", "http://example.com/a.jpg"}, 400, "media_url"},
		{[]string{"media_url", "https://user@example.com/"}, 400, "media_url"},
		{[]string{"email", "nobody"}, 400, "email"},
		{[]string{"phone", strings.Repeat("1", 300)}, 400, "phone"},
		{[]string{"lang", "fr"}, 400, "lang"},
		{[]string{"attribute[nothing]", "x"}, 400, "attribute[nothing]"},
		{[]string{"attribute[source]", "elves"}, 400, "attribute[source]: must be one of"},
		{[]string{"attribute[time]", "yesterday"}, 400, "attribute[time]"},
		{[]string{"attribute[time]", "2026-02-16T12:10:00Z"}, 400, "attribute[time]: must not be in the future"},
		{[]string{"attribute[time]", "2026-02-15T11:00:00Z"}, 400, "attribute[time]: must be at most 24 hours"},
		{[]string{"descripton", "typo"}, 400, "descripton: is not a field"},
		{[]string{"service_code", "no-bus", "attribute[stop]", "nowhere"}, 400, "attribute[stop]: there is no such stop"},
	} {
		values := url.Values{}
		for i := 0; i < len(good); i += 2 {
			values.Set(good[i], good[i+1])
		}
		for i := 0; i < len(c.change); i += 2 {
			if values.Set(c.change[i], c.change[i+1]); c.change[i+1] == "" {
				values.Del(c.change[i])
			}
		}
		w := s.do(http.MethodPost, "/open311/v2/requests.json", formType, strings.NewReader(values.Encode()))
		var errs []failure
		if err := json.Unmarshal(w.Body.Bytes(), &errs); err != nil || w.Code != c.status || len(errs) != 1 ||
			errs[0].Code != c.status || !strings.Contains(errs[0].Description, c.want) {
			t.Errorf("%q: %d %s", c.change, w.Code, w.Body)
		}
	}
	if n, _ := s.state.Len(); n != 0 {
		t.Errorf("%d reports are kept", n)
	}
}

func TestBadBodiesAreRefused(t *testing.T) {
	s := newServer(t, nil)
	var many strings.Builder
	for i := range 200 {
		fmt.Fprintf(&many, "attribute[a%d]=1&", i)
	}
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"no type":         {"", "a=b", 400},
		"XML":             {"text/xml", "<a/>", 400},
		"bad escape":      {formType, "a=%zz", 400},
		"large":           {formType, "description=" + strings.Repeat("x", 70<<10), 413},
		"many fields":     {formType, many.String(), 400},
		"no JSON":         {"application/json", "{", 400},
		"JSON list":       {"application/json", "[]", 400},
		"JSON null":       {"application/json", "null", 400},
		"two objects":     {"application/json", "{}{}", 400},
		"nested":          {"application/json", `{"description":{"a":1}}`, 400},
		"nested list":     {"application/json", `{"media_url":[["a"]]}`, 400},
		"attributes":      {"application/json", `{"attribute":[1]}`, 400},
		"no boundary":     {"multipart/form-data", "a", 400},
		"empty multipart": {"multipart/form-data; boundary=x", "", 403},
		"cut multipart": {
			"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", 400,
		},
		"file of another name": {
			"multipart/form-data; boundary=x",
			"--x\r\nContent-Disposition: form-data; name=\"doc\"; filename=\"a.exe\"\r\n\r\nb\r\n--x--\r\n", 400,
		},
	} {
		w := s.do(http.MethodPost, "/open311/v2/requests.xml", c.contentType, strings.NewReader(c.body))
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") ||
			!strings.Contains(w.Body.String(), "<errors><error><code>") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestJSONBodyIsTaken(t *testing.T) {
	s := newServer(t, nil)
	w := s.do(http.MethodPost, "/open311/v2/requests.json", "application/json", strings.NewReader(fmt.Sprintf(
		`{"api_key":%q,"service_code":"smoke","lat":21.0285,"long":105.8542,"description":"a<b>\u202e","lang":"en",
		"attribute":{"source":"traffic","own_position":"yes"},"email":null}`, appKey)))
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), "Your position is kept") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	all, _ := s.state.List(&reportsAll, 0, 10)
	if r := all[0].Report; r.Text != "a<b>" || r.Attributes["source"][0] != "traffic" || r.Lat.Or(0) != 21.0285 {
		t.Errorf("%+v", r)
	}
}

// multipartForm returns a form with a photo.
func multipartForm(t testing.TB, photo []byte, fields ...string) (contentType string, body []byte) {
	t.Helper()
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	for i := 0; i < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := m.CreateFormFile(mediaField, "IMG_1234.HEIC")
	if err == nil {
		_, err = part.Write(photo)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), out.Bytes()
}

func picture(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPhotoIsReencoded(t *testing.T) {
	s := newServer(t, nil)
	kind, body := multipartForm(t, picture(t), "api_key", appKey, "service_code", "smoke", "lat", "21", "long", "105.8")
	w := s.do(http.MethodPost, "/open311/v2/requests.json", kind, bytes.NewReader(body))
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	all, _ := s.state.List(&reportsAll, 0, 10)
	jpeg, err := s.photos.Get(t.Context(), all[0].Report.ID)
	if err != nil || !bytes.HasPrefix(jpeg, []byte("\xff\xd8\xff")) || !all[0].Report.Photo {
		t.Errorf("%v, %.10q", err, jpeg)
	}
	kind, body = multipartForm(t, []byte("no picture"), "api_key", appKey, "service_code", "noise", "lat", "21",
		"long", "105.8")
	if w = s.do(http.MethodPost, "/open311/v2/requests.json", kind, bytes.NewReader(body)); w.Code != 400 ||
		!strings.Contains(w.Body.String(), "media: must be a JPEG, PNG or WebP") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	kind, body = multipartForm(t, make([]byte, 11<<20), "api_key", appKey)
	if w = s.do(http.MethodPost, "/open311/v2/requests.json", kind, bytes.NewReader(body)); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRepeatedReportIsTheSame(t *testing.T) {
	s := newServer(t, nil)
	fields := append(coordinates(geotest.At(1010)), "service_code", "no-bus", "device_id", "d1")
	first := s.report(t, fields...)
	s.clock.Set(livetest.Noon.Add(5 * time.Minute))
	if again := s.report(t, fields...); again.ID != first.ID {
		t.Error("a repeated report is another one")
	}
	other := s.report(t, append(fields[:len(fields):len(fields)], "attribute[bus]", "29B-123.45")...)
	if other.ID == first.ID {
		t.Error("a report on a bus is that on a stop")
	}
	other = s.report(t, append(coordinates(geotest.At(1010)), "service_code", "no-bus", "device_id", "d2")...)
	if other.ID == first.ID {
		t.Error("a report of another device is the same")
	}
	s.clock.Set(livetest.Noon.Add(20 * time.Minute))
	if later := s.report(t, fields...); later.ID == first.ID {
		t.Error("a later report is the same")
	}
}

// TestUnconfirmedReportKeepsItsID: a client that got 503 sends again, and the report is kept once.
func TestUnconfirmedReportKeepsItsID(t *testing.T) {
	s := newServer(t, nil)
	s.store.fault = nhip.Errorf(nhip.CodeUnavailable, "", "no collector")
	fields := append([]string{"api_key", appKey, "service_code", "smoke"}, coordinates(geotest.At(1010))...)
	if w := s.post(fields...); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	pending := s.h.repeats.all[0].id
	s.store.fault = nil
	if w := s.post(fields...); !strings.Contains(w.Body.String(), pending) {
		t.Errorf("%d %s, want %s", w.Code, w.Body, pending)
	}
}

func TestReportsAreLimited(t *testing.T) {
	s := newServer(t, nil, func(o *Options) { o.Limits = Limits{PerAddress: 3, PerHour: 5} })
	send := func(address string, n int) *nhip.CitizenReport {
		values := url.Values{
			"api_key": {appKey}, "service_code": {"smoke"}, "lat": {"21"}, "long": {"105.8"},
			"device_id": {fmt.Sprint(address, n)},
		}
		r := newPost(values)
		r.RemoteAddr = address + ":1"
		w := newRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			return nil
		}
		if w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return new(nhip.CitizenReport)
	}
	for i := range 3 {
		if send("192.0.2.1", i) == nil {
			t.Fatal("refused within the limit")
		}
	}
	if send("192.0.2.1", 4) != nil {
		t.Error("an address has no limit")
	}
	if send("192.0.2.2", 1) != nil {
		t.Error("an app has more than half of all")
	}
	s.clock.Set(livetest.Noon.Add(time.Hour))
	if send("192.0.2.1", 5) == nil {
		t.Error("refused an hour later")
	}
}

func TestFormTokenIsForOneReport(t *testing.T) {
	s := newServer(t, nil)
	token := func() string {
		var out formAnswer
		if err := json.Unmarshal(s.get("/open311/v2/form").Body.Bytes(), &out); err != nil || out.Token == "" {
			t.Fatal(err)
		}
		return out.Token
	}
	one := token()
	fields := []string{"service_code", "smoke", "lat", "21", "long", "105.8", "form_token", one}
	if w := s.post(append(fields, "email", "nobody")...); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.post(fields...); w.Code != http.StatusCreated { // a mistake does not use it up
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := s.post(fields...); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "has been used") {
		t.Errorf("used twice: %d %s", w.Code, w.Body)
	}
	fields[len(fields)-1] = token()[:20] + "AAAA"
	if w := s.post(fields...); w.Code != http.StatusForbidden {
		t.Errorf("forged: %d %s", w.Code, w.Body)
	}
	r := newPost(url.Values{"service_code": {"smoke"}, "lat": {"21"}, "long": {"105.8"}, "form_token": {token()}})
	r.RemoteAddr = "198.51.100.7:1"
	w := newRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("of another network: %d %s", w.Code, w.Body)
	}
	tokens := senders.NewTokens("", "/form", "")
	old, _ := tokens.Issue(senders.NetworkOf(httpAddr).Addr(), time.Now().Add(-time.Hour))
	if _, err := tokens.Take(old, senders.NetworkOf(httpAddr).Addr(), time.Now()); err == nil {
		t.Error("an old token is taken")
	}
}

func TestBusIsThatOfTheMinute(t *testing.T) {
	s := newServer(t, nil)
	s.clock.Set(livetest.Noon.Add(10 * time.Minute))
	r := s.report(t, append(coordinates(geotest.At(1000)), "service_code", "crowding", "attribute[time]",
		"2026-02-16T19:00:00+07:00")...)
	if !r.At.Equal(livetest.Noon) || r.Known.Bus != nil { // the history has no bus
		t.Errorf("%v %+v", r.At, r.Known.Bus)
	}
}

func TestCoarseIsAGrid(t *testing.T) {
	if got := coarse(21.0287); math.Abs(got-21.03) > 1e-9 {
		t.Errorf("%v", got)
	}
}

func FuzzForm(f *testing.F) {
	f.Add(formType, []byte("service_code=smoke&lat=21&long=105.8&attribute[time]=x"))
	f.Add("application/json", []byte(`{"service_code":"smoke","attribute":{"source":["a"]},"lat":1e400}`))
	f.Add("multipart/form-data; boundary=x", []byte(""+
		"--x\r\nContent-Disposition: form-data; name=\"media\"\r\n\r\nb\r\n--x--\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := newBody(contentType, body)
		form, err := readForm(newRecorder(), r)
		if err == nil {
			_, err = form.parse(livetest.Noon)
		}
		if err != nil && nhip.ErrorCode(err) == nhip.CodeInternal {
			t.Errorf("%v", err)
		}
	})
}
