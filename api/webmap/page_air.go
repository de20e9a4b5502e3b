package webmap

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/aqi"
)

// stations is the part of an answer of /v1/stations that the page shows.
type stations struct {
	Time     time.Time `json:"time"`
	Features []struct {
		Properties stationProperties `json:"properties"`
	} `json:"features"`
}

type stationProperties struct {
	ID    string             `json:"id"`
	Name  nhip.LocalizedText `json:"name"`
	Kind  string             `json:"kind"`
	Index *struct {
		Value    float64          `json:"value"`
		Level    nhip.AQICategory `json:"level"`
		Dominant nhip.Quantity    `json:"dominant"`
		Suspect  bool             `json:"suspect"`
	} `json:"aqi"`
}

// airRow is a station on the page.
type airRow struct {
	Href, Name, Text, Color, Ink, Level, More string
	Sensor                                    bool

	value float64 // -1: none
}

// mostStations is how many stations the server writes into the page; the script has all.
const mostStations = 60

// airData is what the page shows at /air.
type airData struct {
	Words         *pageText
	Summary, When string
	Rows          []airRow
	Holder        rawHTML // instead of rows
}

// airPage returns the stations at the hour of a request, the worst first, and the answers that they were made of.
func (h *Handler) airPage(r *http.Request, lang string, words *pageText, holder rawHTML) (any, []seed) {
	data := &airData{Words: words, Holder: holder}
	query, given := url.Values{}, r.URL.Query()
	scale := nhip.Scale(given.Get("index"))
	if aqi.Known(scale) && scale != nhip.ScaleVNAQI {
		query.Set("index", string(scale))
	} else {
		scale = nhip.ScaleVNAQI
	}
	legend := withQuery("/v1/legend", query)
	past, err := time.Parse(time.RFC3339, given.Get("time"))
	if err == nil {
		past = past.UTC().Truncate(time.Hour)
		query.Set("time", past.Format(time.RFC3339))
	}
	address := withQuery("/v1/stations", query)
	found := h.seeds(r, address, legend, "/v1/air/hours")
	for _, s := range found {
		var answer stations
		if s.URL != address || json.Unmarshal(s.Body, &answer) != nil {
			continue
		}
		if err == nil {
			data.When = fmt.Sprintf(words.viewing, h.localTime(past, lang))
		} else {
			data.When = fmt.Sprintf(words.asOf, h.clockTime(answer.Time))
		}
		data.Rows, data.Summary = airRows(&answer, scale, lang, words)
	}
	return data, found
}

// withQuery returns an address with a query as the script writes it.
func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func airRows(answer *stations, scale nhip.Scale, lang string, words *pageText) (rows []airRow, summary string) {
	known := 0
	for i := range answer.Features {
		p := &answer.Features[i].Properties
		row := airRow{
			Href: "/air/station/" + url.PathEscape(p.ID), Name: cmp.Or(p.Name.In(lang), p.ID), Text: "–", Color: "#eef0f1",
			Ink: "#5a646b", More: words.none, Sensor: p.Kind == "low-cost", value: -1,
		}
		switch {
		case p.Index != nil && p.Index.Suspect:
			row.Text, row.More = "!", words.suspect
		case p.Index != nil:
			known++
			row.value, row.Text, row.Color = p.Index.Value, indexText(p.Index.Value, scale), p.Index.Level.Color
			row.Ink, row.Level, row.More = inkOn(row.Color), p.Index.Level.Name.In(lang), quantityName(p.Index.Dominant)
		}
		if row.Sensor {
			row.More += " · " + words.sensor
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b airRow) int {
		return cmp.Or(cmp.Compare(b.value, a.value), strings.Compare(a.Name, b.Name))
	})
	if known == 0 {
		return rows, fmt.Sprintf(words.noneKnown, len(rows))
	}
	worst, all := &rows[0], len(rows)
	return rows[:min(all, mostStations)], fmt.Sprintf(words.summary, known, all, worst.Name+" "+worst.Text+" "+worst.Level)
}
