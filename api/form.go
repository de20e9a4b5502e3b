package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"nhip"
	"nhip/internal/problem"
)

// The forms of lists.
const (
	formJSON = "application/json" // GeoJSON where they are places
	formCSV  = "text/csv"

	formParquet = "application/vnd.apache.parquet" // of histories
)

// noForm answers a client that accepts neither.
func noForm(w http.ResponseWriter) {
	w.Header().Set("Vary", "Accept")
	problem.Plain(w, http.StatusNotAcceptable, nhip.Invalid, "JSON and text/csv can be had")
}

// form picks a list's form: what format= says ("json" or "csv", for links and address bars), else
// what the Accept header likes best; "" when it accepts neither.
func (q *query) form(r *http.Request) string {
	switch f := q.text("format"); f {
	case "":
		return acceptedForm(r.Header.Get("Accept"))
	case "json":
		return formJSON
	case "csv":
		return formCSV
	default:
		q.fail("format", "must be json or csv, got %q", f)
		return formJSON
	}
}

// historyForm is form with one more.
func (q *query) historyForm(r *http.Request) string {
	switch {
	case q.values.Get("format") == "parquet":
		return formParquet
	case q.values.Get("format") == "" && strings.Contains(r.Header.Get("Accept"), formParquet):
		return formParquet
	}
	return q.form(r)
}

// acceptedForm weighs an Accept header (RFC 9110 §12.5.1). JSON wins where both are as welcome.
func acceptedForm(accept string) string {
	if strings.TrimSpace(accept) == "" {
		return formJSON
	}
	json, csv := max(welcome(accept, formJSON), welcome(accept, geoJSON)), welcome(accept, formCSV)
	switch {
	case json == 0 && csv == 0:
		return ""
	case csv > json:
		return formCSV
	}
	return formJSON
}

// welcome returns how welcome a media type is, from 0 to 1: the weight of the most specific range
// that names it.
func welcome(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	weight, rank := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		for i, of := range [...]string{"*/*", kind + "/*", media} {
			if name == of && i+1 > rank {
				weight, rank = q, i+1
			}
		}
	}
	return weight
}
