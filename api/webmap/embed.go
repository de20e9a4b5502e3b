package webmap

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/geo/aqi"
	"nhip/geo/tile"

	"github.com/paulmach/orb"
)

var (
	//go:embed embed.html
	embedHTML string
	//go:embed embed.css
	embedCSS string

	embedPage = template.Must(template.New("embed").Parse(embedHTML))

	// embedPolicy allows the page its style and pictures of this server, and the site that shows it nothing else: no
	// script, no storage, no form. The sandbox makes a browser treat the page as a foreign one; it allows scripts, of
	// which there are none, because browsers let only such pages load themselves again.
	embedPolicy = "default-src 'none'; img-src 'self'; style-src 'sha256-" + hashOf(embedCSS) + "'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors *; sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
)

// hashOf returns the hash of a text as a Content-Security-Policy names it.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// embedRefresh is how often a page of the current air loads itself again, in seconds.
const embedRefresh = 300

// embedQuery is a query of GET /embed/air.
type embedQuery struct {
	at       time.Time // zero for now
	scale    nhip.Scale
	quantity nhip.Quantity // "" for the index
	zones    bool          // areas instead of the field
	lang     string
	center   orb.Point
	zoom     float64 // 0: show all stations
	tiles    url.Values
}

func (h *Handler) embedQuery(r *http.Request) (*embedQuery, error) {
	p := rest.ReadQuery(r, "time", "index", "quantity", "layer", "c", "lang")
	q := &embedQuery{
		at: p.PastTime("time", h.Clock.Now()), scale: p.Scale("index"), quantity: p.SurfaceQuantity("quantity", "index"),
		lang: vietnamese, tiles: url.Values{},
	}
	switch layer := p.Text("layer"); layer {
	case "", "field":
	case "zones":
		q.zones = true
	default:
		p.Fail("layer", "must be field or zones, got %q", layer)
	}
	switch lang := p.Text("lang"); lang {
	case "":
	case vietnamese, english:
		q.lang = lang
	default:
		p.Fail("lang", "must be vi or en, got %q", lang)
	}
	if text := p.Text("c"); text != "" {
		var ok bool
		if q.center, q.zoom, ok = readCamera(text); !ok {
			p.Fail("c", "must be LAT,LON,ZOOM with a zoom from %v to %v, as in 21.03,105.85,11, got %q",
				embedMinZoom, embedMaxZoom, text)
		}
	}
	for _, name := range []string{"time", "index", "quantity"} { // tiles have the same
		if p.Values.Has(name) {
			q.tiles.Set(name, p.Values.Get(name))
		}
	}
	return q, p.Err
}

// readCamera reads LAT,LON,ZOOM.
func readCamera(text string) (center orb.Point, zoom float64, ok bool) {
	i := strings.LastIndexByte(text, ',')
	if i < 0 {
		return orb.Point{}, 0, false
	}
	lat, lon, valid := readPlace(text[:i])
	zoom, err := strconv.ParseFloat(text[i+1:], 64)
	ok = valid && err == nil && math.Abs(lat) <= 85 && zoom >= embedMinZoom && zoom <= embedMaxZoom
	return orb.Point{lon, lat}, zoom, ok
}

// getEmbed answers GET /embed/air: the map of the air as a page without scripts, which any site may frame. It is the
// same for everybody, whoever is signed in.
func (h *Handler) getEmbed(w http.ResponseWriter, r *http.Request) error {
	q, err := h.embedQuery(r)
	if err != nil {
		return err
	}
	s, err := h.Air.At(scope.With(r.Context(), scope.View{}), q.at)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := embedPage.Execute(&body, h.embedData(q, s)); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Security-Policy", embedPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	h.Bytes(w, "text/html; charset=utf-8", rest.CachePolicy(s.Past, s.Settled, rest.CacheHour), body.Bytes())
	return nil
}

// embedData is what the page shows.
type embedData struct {
	Lang, Title, Scale, When, Described, Simulated, Stamp, Summary, Source, Link, LinkText string

	Style         template.CSS
	Refresh       int // seconds; 0 for a past hour
	Width, Height float64
	Tiles         []embedTile
	Zones         []embedZone
	Lines         string
	Marks         []embedMark
	Classes       []embedClass
}

// embedZone is an area on the drawing, without a color if its air is unknown.
type embedZone struct{ Path, Color, Title string }

// embedClass is a category of the legend.
type embedClass struct{ Name, Color, Span string }

func (h *Handler) embedData(q *embedQuery, s *air.Snapshot) *embedData {
	words := embedWords[q.lang]
	marks, summary := h.embedMarks(q, s, &words)
	view := h.embedView(q, s)
	for i := range marks {
		marks[i].at = view.at(marks[i].at)
	}
	d := &embedData{
		Lang: q.lang, Title: words.title, Scale: embedScale(q, &words), When: h.localTime(s.End, q.lang),
		Style: template.CSS(embedCSS), Width: embedWidth, Height: embedHeight, Marks: arrangeMarks(marks),
		Classes: embedClasses(q), Summary: summary, Link: h.embedLink(q), LinkText: words.open,
		Source: fmt.Sprintf(words.source, sourceOf(q.scale, q.lang), h.sourceOfData()),
	}
	if !s.Past {
		d.Refresh = embedRefresh
	}
	if h.Config.Simulated {
		d.Simulated, d.Stamp = words.simulated, words.stamp
	}
	d.Described = fmt.Sprintf("%s, %s. %s", d.Title, d.When, summary)
	path := embedPath{view: view}
	d.Zones = h.embedZones(q, s, &path)
	if !q.zones {
		d.Tiles = view.tiles(q.tiles)
	}
	if drawn, _ := h.Transit.Map(); drawn != nil {
		d.Lines = embedLines(drawn.Routes, &path)
	}
	return d
}

// sourceOfData returns whom to name as the source of the data, and their license.
func (h *Handler) sourceOfData() string {
	source := cmp.Or(h.Config.License.Source, h.Config.Attribution, "Nhịp")
	if h.Config.License.Name != "" {
		source += ", " + h.Config.License.Name
	}
	return source
}

// embedView returns the view of a query: the one that it names, or all stations, or else the city.
func (h *Handler) embedView(q *embedQuery, s *air.Snapshot) embedView {
	if q.zoom != 0 {
		return newEmbedView(q.center, q.zoom)
	}
	var points orb.MultiPoint
	for i := range s.Stations {
		if p, placed := s.Stations[i].Point(); placed && !s.Stations[i].Mobile {
			points = append(points, p)
		}
	}
	if len(points) == 0 {
		return newEmbedView(h.Config.Center, h.Config.Zoom)
	}
	return fitEmbedView(points.Bound())
}

// embedLines returns the lines of the network, for orientation.
func embedLines(routes []tile.Route, path *embedPath) string {
	var b strings.Builder
	for _, route := range routes {
		for _, shape := range route.Shapes {
			b.WriteString(path.line(shape, false))
		}
	}
	return b.String()
}

func (h *Handler) embedZones(q *embedQuery, s *air.Snapshot, path *embedPath) []embedZone {
	z := h.Air.Zones(s, q.scale)
	var out []embedZone
	for i, area := range z.Zones {
		row := &z.Rows[i]
		zone := embedZone{Title: row.Name.In(q.lang)}
		if value, category, ok := row.Index(); ok {
			zone.Title += fmt.Sprintf(": %s %s", indexText(value, q.scale), category.Name.In(q.lang))
			if q.zones {
				zone.Color = category.Color
			}
		}
		for _, polygon := range area.Area {
			for _, ring := range polygon {
				zone.Path += path.line(orb.LineString(ring), true)
			}
		}
		if zone.Path != "" {
			out = append(out, zone)
		}
	}
	return out
}

// embedMarks returns the stations with an index and a sentence about all; positions are WGS84 lon, lat.
func (h *Handler) embedMarks(q *embedQuery, s *air.Snapshot, words *embedText) (marks []embedMark, summary string) {
	all, worst := 0, -1
	for i := range s.Stations {
		station := &s.Stations[i]
		p, placed := station.Point()
		if !placed || station.Mobile {
			continue
		}
		all++
		value, category, ok := embedIndex(q, s, station)
		if !ok {
			continue
		}
		name := cmp.Or(station.Name.In(q.lang), station.ID)
		marks = append(marks, embedMark{
			Title: fmt.Sprintf("%s: %s %s", name, indexText(value, q.scale), category.Name.In(q.lang)),
			Text:  indexText(value, q.scale), Color: category.Color, Ink: inkOn(category.Color),
			at: p, value: value, diamond: station.Kind == "low-cost",
		})
		if worst < 0 || value > marks[worst].value {
			worst = len(marks) - 1
		}
	}
	if worst < 0 {
		return nil, fmt.Sprintf(words.none, all)
	}
	note := words.field
	if q.zones {
		note = words.areas
	}
	return marks, fmt.Sprintf(words.summary, len(marks), all, marks[worst].Title, note)
}

// embedIndex returns the index of a station, or its sub-index if the query has a quantity.
func embedIndex(q *embedQuery, s *air.Snapshot, station *nhip.Station) (float64, nhip.AQICategory, bool) {
	index, _, ok := aqi.StationIndex(station, q.scale, s.At)
	if !ok || q.quantity == "" {
		return index.Value, index.Category, ok
	}
	for _, sub := range index.Sub {
		if sub.Quantity == q.quantity {
			return sub.Value, aqi.CategoryOf(q.scale, sub.Value), true
		}
	}
	return 0, nhip.AQICategory{}, false
}

// embedLink returns the address of the web map with the same content.
func (h *Handler) embedLink(q *embedQuery) string {
	values := url.Values{}
	for name := range q.tiles {
		values.Set(name, q.tiles.Get(name))
	}
	if q.zones {
		values.Set("layer", "zones")
	}
	if q.lang != vietnamese {
		values.Set("lang", q.lang)
	}
	if len(values) == 0 {
		return "/air"
	}
	return "/air?" + values.Encode()
}
