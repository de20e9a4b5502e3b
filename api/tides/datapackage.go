package tides

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"nhip/api/catalog"
	"nhip/api/rest"
	"nhip/geo/gtfs"
)

// specification is where the schemas of the tables are.
const specification = "https://raw.githubusercontent.com/TIDES-transit/TIDES/main/spec/"

// tables are all tables with their titles.
var tables = [...]struct{ name, title string }{
	{tableLocations, "Positions that vehicles reported"},
	{tableVisits, "Visits of vehicles at stops"},
	{tableTrips, "Trips that vehicles performed"},
}

// descriptor is the descriptor of a package (Frictionless Data Package, TIDES profile).
type descriptor struct {
	Profile     string     `json:"profile"`
	Name        string     `json:"name"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Agency      string     `json:"agency,omitempty"`
	Licenses    []license  `json:"licenses,omitempty"`
	Resources   []resource `json:"resources"`
}

type license struct {
	Name  string `json:"name,omitempty"`
	Path  string `json:"path,omitempty"`
	Title string `json:"title,omitempty"`
}

type source struct {
	Title     string `json:"title"`
	Component string `json:"component"`
}

// resource is a table of a package.
type resource struct {
	Name    string   `json:"name"`
	Table   string   `json:"tides-table"`
	Title   string   `json:"title"`
	Profile string   `json:"profile"`
	Path    string   `json:"path"` // relative to the descriptor
	Format  string   `json:"format"`
	Media   string   `json:"mediatype"`
	Coding  string   `json:"encoding"`
	Schema  string   `json:"schema"`
	Sources []source `json:"sources"`
}

// getPackage answers GET /v1/tides/{date}/datapackage.json.
func (h *Handler) getPackage(w http.ResponseWriter, r *http.Request) error {
	q, err := h.query(r)
	if err != nil {
		return err
	}
	d := descriptor{
		Profile: specification + "tides-datapackage-profile.json", Name: "tides-" + slug(q.name()),
		Title: "What buses did on " + q.day(), Agency: h.agencyName(q), Licenses: licenses(h.License),
		Description: "Positions as the vehicles sent them; stop visits and trips as they were computed from the positions " +
			"and the timetable. Trips past midnight belong to the service date on which they began. Times are UTC.",
	}
	from := source{cmp.Or(h.License.Source, "Nhịp"), "AVL"}
	for _, t := range tables {
		d.Resources = append(d.Resources, resource{
			Name: t.name, Table: t.name, Title: t.title, Profile: "tabular-data-resource",
			Path: t.name + "." + formatCSV + q.parameters(), Format: formatCSV, Media: rest.FormatCSV, Coding: "utf-8",
			Schema: specification + t.name + ".schema.json", Sources: []source{from},
		})
	}
	return h.withSlots(r, nil, func() error { return h.JSON(w, rest.Revalidate, d) })
}

// parameters returns the parameters of the request, as they are in the addresses of its tables.
func (q *query) parameters() string {
	if q.agency == "" {
		return ""
	}
	return "?agency=" + url.QueryEscape(q.agency)
}

// agencyName returns the name of the agency of a package, "" if it has several.
func (h *Handler) agencyName(q *query) string {
	if q.net != nil && len(q.net.Feed.Agencies) == 1 && q.agency == "" {
		return q.net.Feed.Agencies[0].Name
	}
	return q.agency
}

var notInSlug = regexp.MustCompile(`[^-a-z0-9._/]+`)

// slug returns a name with the characters that the name of a package may have.
func slug(name string) string { return notInSlug.ReplaceAllString(strings.ToLower(name), "-") }

var notInLicense = regexp.MustCompile(`[^-a-zA-Z0-9._]`)

// licenses returns the license of the data. A name that is no identifier is its title.
func licenses(l rest.License) []license {
	switch {
	case l.Name == "" && l.URL == "":
		return nil
	case l.Name != "" && !notInLicense.MatchString(l.Name):
		return []license{{Name: l.Name, Path: l.URL}}
	case l.URL != "":
		return []license{{Path: l.URL, Title: l.Name}}
	}
	return []license{{Name: notInLicense.ReplaceAllString(l.Name, "-"), Title: l.Name}}
}

// maxDates is how many dates a list has.
const maxDates = 366

// datedPackage is a service date with the addresses of its package.
type datedPackage struct {
	Date    string            `json:"date"`
	Package string            `json:"datapackage"`
	Tables  map[string]string `json:"tables"` // addresses as CSV, by name
}

// listDates answers GET /v1/tides with the service dates that there are, the newest first.
func (h *Handler) listDates(w http.ResponseWriter, r *http.Request) error {
	p := rest.ReadQuery(r, "before", "limit")
	_, zone := h.timetable()
	limit := p.Integer("limit", maxDates, 1, maxDates)
	before := h.Clock.Now().In(zone)
	if text := p.Text("before"); text != "" {
		var err error
		if before, err = time.ParseInLocation(time.DateOnly, text, zone); err != nil {
			p.Fail("before", "must be a date, as in 2026-02-16, got %q", text)
		}
	}
	if p.Err != nil {
		return p.Err
	}
	return h.withSlots(r, []rest.QuerySlots{h.Slots}, func() error {
		spans, err := h.Stations.BusSpans(r.Context())
		if err != nil {
			return err
		}
		out := struct {
			Timezone string         `json:"timezone"`
			Dates    []datedPackage `json:"dates"`
			Next     string         `json:"next,omitempty"` // before= of the next page
		}{zone.String(), []datedPackage{}, ""}
		for d := gtfs.DateOf(before).Add(-1); !d.At(24*3600, zone).Before(earliest(spans)); d = d.Add(-1) {
			if d.At(0, zone).Add(readyAfter).After(h.Clock.Now()) || d.At(0, zone).After(latest(spans)) {
				continue
			}
			if len(out.Dates) == limit {
				out.Next = out.Dates[limit-1].Date
				break
			}
			out.Dates = append(out.Dates, datedPackageOf(h.BaseURL(r), d))
		}
		return h.JSON(w, rest.Revalidate, out)
	})
}

func datedPackageOf(base string, d gtfs.Date) datedPackage {
	q := query{date: d, zone: time.UTC}
	folder := base + "/v1/tides/" + q.day() + "/"
	x := datedPackage{Date: q.day(), Package: folder + "datapackage.json", Tables: make(map[string]string)}
	for _, t := range tables {
		x.Tables[t.name] = folder + t.name + "." + formatCSV
	}
	return x
}

// endOfTime is later than all facts.
var endOfTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// earliest and latest return the time of the first and the last position or arrival. Without any, no time is between.
func earliest(s catalog.BusSpans) time.Time {
	first := endOfTime
	for _, x := range [...]catalog.Span{s.Positions, s.Arrivals} {
		if !x.First.IsZero() && x.First.Before(first) {
			first = x.First
		}
	}
	return first
}

func latest(s catalog.BusSpans) time.Time {
	if s.Positions.Last.After(s.Arrivals.Last) {
		return s.Positions.Last
	}
	return s.Arrivals.Last
}
