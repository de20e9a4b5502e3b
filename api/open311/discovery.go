package open311

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
)

// changeset is when the services and their definitions changed last.
const changeset = "2026-12-01T00:00:00+07:00"

const specification = "http://wiki.open311.org/GeoReport_v2"

type discovery struct {
	XMLName    xml.Name   `json:"-" xml:"discovery"`
	Changeset  string     `json:"changeset" xml:"changeset"`
	Contact    string     `json:"contact" xml:"contact"`
	KeyService string     `json:"key_service" xml:"key_service"`
	Endpoints  []endpoint `json:"endpoints" xml:"endpoints>endpoint"`
}

type endpoint struct {
	Specification string   `json:"specification" xml:"specification"`
	URL           string   `json:"url" xml:"url"`
	Changeset     string   `json:"changeset" xml:"changeset"`
	Type          string   `json:"type" xml:"type"`
	Formats       []string `json:"formats" xml:"formats>format"`
}

// getDiscovery answers GET /open311/v2/discovery.
func (h *Handler) getDiscovery(w http.ResponseWriter, r *http.Request) (reply, error) {
	if err := rest.ReadQuery(r, "jurisdiction_id").Err; err != nil {
		return reply{}, err
	}
	base := h.BaseURL(r)
	d := discovery{
		Changeset:  changeset,
		Contact:    "Người vận hành Nhịp / the operator of this Nhịp",
		KeyService: "Người vận hành cấp khoá ứng dụng / the operator issues keys of apps: " + base + "/openapi.yaml",
		Endpoints: []endpoint{{
			Specification: specification, URL: base + "/open311/v2", Changeset: changeset, Type: "production",
			Formats: []string{"text/xml", "application/json"},
		}},
	}
	return reply{json: d, xml: d}, nil
}

type service struct {
	Code        string `json:"service_code" xml:"service_code"`
	Name        string `json:"service_name" xml:"service_name"`
	Description string `json:"description" xml:"description"`
	Metadata    bool   `json:"metadata" xml:"metadata"`
	Type        string `json:"type" xml:"type"`
	Keywords    string `json:"keywords" xml:"keywords"`
	Group       string `json:"group" xml:"group"`
}

type serviceList struct {
	XMLName  xml.Name  `xml:"services"`
	Services []service `xml:"service"`
}

// language returns the parameter lang, "vi" by default.
func language(q *rest.Query) string {
	lang := cmp.Or(q.Text("lang"), "vi")
	if err := checkLang(lang); err != nil && q.Err == nil {
		q.Err = err
	}
	return lang
}

// listServices answers GET /open311/v2/services.
func (h *Handler) listServices(w http.ResponseWriter, r *http.Request) (reply, error) {
	q := rest.ReadQuery(r, "jurisdiction_id", "lang")
	lang := language(q)
	if q.Err != nil {
		return reply{}, q.Err
	}
	var all []service
	for _, s := range reports.Services() {
		all = append(all, service{
			Code: s.Code, Name: s.Name.In(lang), Description: s.Description.In(lang), Metadata: len(s.Attributes) > 0,
			Type: "realtime", Keywords: s.Keywords, Group: string(s.Group),
		})
	}
	w.Header().Set("Cache-Control", rest.CachePast)
	return reply{json: all, xml: serviceList{Services: all}}, nil
}

type definition struct {
	XMLName    xml.Name    `json:"-" xml:"service_definition"`
	Code       string      `json:"service_code" xml:"service_code"`
	Attributes []attribute `json:"attributes" xml:"attributes>attribute"`
}

type attribute struct {
	Variable    bool    `json:"variable" xml:"variable"`
	Code        string  `json:"code" xml:"code"`
	Datatype    string  `json:"datatype" xml:"datatype"`
	Required    bool    `json:"required" xml:"required"`
	Hint        text    `json:"datatype_description" xml:"datatype_description"`
	Order       int     `json:"order" xml:"order"`
	Description string  `json:"description" xml:"description"`
	Values      []value `json:"values,omitempty" xml:"values>value,omitempty"`
}

type value struct {
	Key  string `json:"key" xml:"key"`
	Name string `json:"name" xml:"name"`
}

// getDefinition answers GET /open311/v2/services/{code}.
func (h *Handler) getDefinition(w http.ResponseWriter, r *http.Request) (reply, error) {
	q := rest.ReadQuery(r, "jurisdiction_id", "lang")
	lang := language(q)
	if q.Err != nil {
		return reply{}, q.Err
	}
	s, known := reports.FindService(chi.URLParam(r, "code"))
	if !known {
		return reply{}, nhip.Errorf(nhip.CodeNotFound, "service_code", "there is no such service")
	}
	d := definition{Code: s.Code, Attributes: []attribute{}}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		out := attribute{
			Variable: true, Code: a.Code, Datatype: string(a.Datatype), Hint: text(a.Hint.In(lang)), Order: i + 1,
			Description: a.Text.In(lang),
		}
		for _, c := range a.Values {
			out.Values = append(out.Values, value{c.Key, c.Name.In(lang)})
		}
		d.Attributes = append(d.Attributes, out)
	}
	w.Header().Set("Cache-Control", rest.CachePast)
	return reply{json: d, xml: d}, nil
}

// timeText returns a time as the specification writes it: with an offset and without fractions.
func (h *Handler) timeText(t time.Time) string {
	return t.In(h.Zone).Truncate(time.Second).Format(time.RFC3339)
}
