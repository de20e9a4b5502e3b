package open311

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
)

// request is a report as everybody may see it. Unknown values are null, or empty elements.
type request struct {
	ID          string `json:"service_request_id" xml:"service_request_id"`
	Status      string `json:"status" xml:"status"`
	StatusNotes text   `json:"status_notes" xml:"status_notes"`
	ServiceName string `json:"service_name" xml:"service_name"`
	ServiceCode string `json:"service_code" xml:"service_code"`
	Description text   `json:"description" xml:"description"`
	Agency      text   `json:"agency_responsible" xml:"agency_responsible"`
	Notice      text   `json:"service_notice" xml:"service_notice"`
	Requested   string `json:"requested_datetime" xml:"requested_datetime"`
	Updated     string `json:"updated_datetime" xml:"updated_datetime"`
	Expected    text   `json:"expected_datetime" xml:"expected_datetime"`
	Address     text   `json:"address" xml:"address"`
	AddressID   text   `json:"address_id" xml:"address_id"`
	Zipcode     text   `json:"zipcode" xml:"zipcode"`
	Lat         number `json:"lat" xml:"lat"`
	Long        number `json:"long" xml:"long"`
	MediaURL    text   `json:"media_url" xml:"media_url"`

	Extended *extended `json:"extended_attributes,omitempty" xml:"extended_attributes,omitempty"`
}

// extended is what was known of the place and the minute, as far as everybody may see it: neither the vehicle, which
// names its driver, nor anything of the sender.
type extended struct {
	Group    string    `json:"group" xml:"group"`
	Place    text      `json:"place" xml:"place"` // whose position lat and long are
	At       string    `json:"at" xml:"at"`
	StopID   text      `json:"stop_id" xml:"stop_id"`
	StopName text      `json:"stop_name" xml:"stop_name"`
	Line     text      `json:"line" xml:"line"`
	Scale    text      `json:"index" xml:"index"`
	Index    number    `json:"index_value" xml:"index_value"`
	Dominant text      `json:"dominant" xml:"dominant"`
	PM25     number    `json:"pm25" xml:"pm25"` // µg/m³
	Zones    []zoneRef `json:"zones" xml:"zones>zone"`
}

type zoneRef struct {
	ID   string `json:"id" xml:"id"`
	Name string `json:"name" xml:"name"`
}

// requestList is the list of requests in XML.
type requestList struct {
	XMLName  xml.Name `xml:"service_requests"`
	Requests []any    `xml:"request"`
}

// listOf returns a list of requests, or of parts of them.
func listOf[T any](all []T) reply {
	list := requestList{}
	for _, r := range all {
		list.Requests = append(list.Requests, r)
	}
	return reply{json: all, xml: list}
}

// publicRequest returns what everybody may see of a report.
func (h *Handler) publicRequest(base string, r *nhip.CitizenReport, lang string, extensions bool) request {
	out := request{
		ID: r.ID, Status: string(r.Status), StatusNotes: text(r.Answer), ServiceCode: r.Service, ServiceName: r.Service,
		Requested: h.timeText(r.Received), Updated: h.timeText(r.Updated), Lat: number{r.Lat}, Long: number{r.Lon},
		Agency: text(r.Known.Agency),
	}
	if s, known := reports.FindService(r.Service); known {
		out.ServiceName = s.Name.In(lang)
	}
	if r.PublicText {
		out.Description = text(r.Text)
	}
	if r.PublicPhoto && r.Photo {
		out.MediaURL = text(base + "/open311/v2/photos/" + r.ID)
	}
	if extensions {
		out.Extended = h.extendedOf(r, lang)
	}
	return out
}

func (h *Handler) extendedOf(r *nhip.CitizenReport, lang string) *extended {
	e := &extended{Place: text(r.Place), At: h.timeText(r.At), Zones: []zoneRef{}}
	if s, known := reports.FindService(r.Service); known {
		e.Group = string(s.Group)
	}
	if s := r.Known.Stop; s != nil {
		e.StopID, e.StopName = text(s.ID), text(s.Name)
	}
	if b := r.Known.Bus; b != nil && b.Named {
		e.Line = text(b.Line)
	} else if line := r.Attributes[reports.AttributeLine]; len(line) > 0 && r.PublicText {
		e.Line = text(line[0])
	}
	if a := r.Known.Air; a != nil {
		e.Scale, e.Index, e.Dominant = text(a.Scale), number{nhip.Some(a.Value)}, text(a.Dominant)
		if v, known := a.Values[nhip.PM25]; known {
			e.PM25 = number{nhip.Some(v)}
		}
	}
	for _, z := range r.Known.Zones {
		e.Zones = append(e.Zones, zoneRef{z.ID, z.Name.In(lang)})
	}
	return e
}

// Bounds of a list.
const (
	maxSpan = 90 * 24 * time.Hour
	maxPage = 1000
	maxIDs  = 100
)

// listRequests answers GET /open311/v2/requests.
func (h *Handler) listRequests(w http.ResponseWriter, r *http.Request) (reply, error) {
	q := rest.ReadQuery(r, "jurisdiction_id", "api_key", "service_request_id", "service_code", "status", "start_date",
		"end_date", "page", "page_size", "extensions", "lang")
	filter := h.filterOf(q)
	page, size := q.Integer("page", 1, 1, 100_000), q.Integer("page_size", maxPage, 1, maxPage)
	extensions, lang := q.Boolean("extensions"), language(q)
	if q.Err != nil {
		return reply{}, q.Err
	}
	found, _ := h.Reports.List(&filter, (page-1)*size, size)
	out := make([]request, len(found))
	for i, e := range found {
		out[i] = h.publicRequest(h.BaseURL(r), e.Report, lang, extensions)
	}
	return listOf(out), nil
}

// filterOf returns the filter of the query: the ids alone if there are any, else the reports of the last 90 days or of
// a span of at most as many.
func (h *Handler) filterOf(q *rest.Query) reports.Filter {
	if ids := commaList(q, "service_request_id"); len(ids) > 0 {
		return reports.Filter{IDs: ids}
	}
	f := reports.Filter{Services: commaList(q, "service_code")}
	for _, code := range f.Services {
		if _, known := reports.FindService(code); !known && q.Err == nil {
			q.Err = nhip.Errorf(nhip.CodeNotFound, "service_code", "there is no service %.40q", code)
		}
	}
	for _, s := range commaList(q, "status") {
		f.Statuses = append(f.Statuses, nhip.ReportStatus(s))
		if s != string(nhip.ReportOpen) && s != string(nhip.ReportClosed) {
			q.Fail("status", "must be open, closed or both with a comma, got %.40q", s)
		}
	}
	f.From, f.To = q.Time("start_date", time.Time{}), q.Time("end_date", time.Time{})
	switch {
	case f.From.IsZero() && f.To.IsZero():
		f.From = h.Clock.Now().Add(-maxSpan)
	case f.From.IsZero():
		f.From = f.To.Add(-maxSpan)
	case f.To.IsZero():
		f.To = f.From.Add(maxSpan)
	case f.To.Before(f.From):
		q.Fail("end_date", "must not be before start_date")
	case f.To.Sub(f.From) > maxSpan:
		q.Fail("end_date", "must be at most 90 days after start_date")
	}
	return f
}

// commaList parses a list whose items are separated by commas.
func commaList(q *rest.Query, name string) []string {
	s := q.Values.Get(name)
	if s == "" {
		_ = q.Text(name) // an empty parameter is an error
		return nil
	}
	items := strings.Split(s, ",")
	if len(items) > maxIDs {
		q.Fail(name, "must have at most %d items", maxIDs)
	}
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	if slices.Contains(items, "") || nhip.CheckText("", s[:min(len(s), nhip.MaxText)]) != nil {
		q.Fail(name, "must be a list with commas")
	}
	return items
}

// getRequest answers GET /open311/v2/requests/{id} with a list of one.
func (h *Handler) getRequest(w http.ResponseWriter, r *http.Request) (reply, error) {
	q := rest.ReadQuery(r, "jurisdiction_id", "api_key", "extensions", "lang")
	extensions, lang := q.Boolean("extensions"), language(q)
	if q.Err != nil {
		return reply{}, q.Err
	}
	e, err := h.find(chi.URLParam(r, "id"))
	if err != nil {
		return reply{}, err
	}
	return listOf([]request{h.publicRequest(h.BaseURL(r), e.Report, lang, extensions)}), nil
}

// find returns a report.
func (h *Handler) find(id string) (reports.Entry, error) {
	e, known := h.Reports.Report(id)
	if !known {
		return e, nhip.Errorf(nhip.CodeNotFound, "service_request_id", "there is no such report")
	}
	return e, nil
}

// tokenAnswer is the id of a report by its token.
type tokenAnswer struct {
	ID    string `json:"service_request_id" xml:"service_request_id"`
	Token string `json:"token" xml:"token"`
}

// getToken answers GET /open311/v2/tokens/{token}. All services are realtime: a report gets its id at once, which is
// its token, too.
func (h *Handler) getToken(w http.ResponseWriter, r *http.Request) (reply, error) {
	if err := rest.ReadQuery(r, "jurisdiction_id", "api_key").Err; err != nil {
		return reply{}, err
	}
	e, err := h.find(chi.URLParam(r, "token"))
	if err != nil {
		return reply{}, nhip.Errorf(nhip.CodeNotFound, "token", "there is no such token")
	}
	return listOf([]tokenAnswer{{e.Report.ID, e.Report.ID}}), nil
}
