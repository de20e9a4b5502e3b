package rest

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"nhip/api/geojson"
)

// The media types of lists.
const (
	FormatJSON = "application/json" // stands for GeoJSON, too
	FormatCSV  = "text/csv"

	FormatParquet = "application/vnd.apache.parquet" // only for histories
)

// Format returns the media type of a list: the parameter format ("json" or "csv", for links and address bars) comes
// before the Accept header. It returns "" if the client accepts neither.
func (q *Query) Format(r *http.Request) string {
	switch f := q.Text("format"); f {
	case "":
		return acceptedFormat(r.Header.Get("Accept"))
	case "json":
		return FormatJSON
	case "csv":
		return FormatCSV
	default:
		q.Fail("format", "must be json or csv, got %q", f)
		return FormatJSON
	}
}

// HistoryFormat is Format for lists that are available as Parquet, too.
func (q *Query) HistoryFormat(r *http.Request) string {
	switch {
	case q.Values.Get("format") == "parquet":
		return FormatParquet
	case q.Values.Get("format") == "" && strings.Contains(r.Header.Get("Accept"), FormatParquet):
		return FormatParquet
	}
	return q.Format(r)
}

// acceptedFormat returns the preferred media type of an Accept header (RFC 9110 §12.5.1), or "" if it accepts neither
// JSON nor CSV. JSON is the default.
func acceptedFormat(accept string) string {
	if strings.TrimSpace(accept) == "" {
		return FormatJSON
	}
	json := max(mediaWeight(accept, FormatJSON), mediaWeight(accept, geojson.ContentType))
	csv := mediaWeight(accept, FormatCSV)
	switch {
	case json == 0 && csv == 0:
		return ""
	case csv > json:
		return FormatCSV
	}
	return FormatJSON
}

// mediaWeight returns the weight of a media type in an Accept header, from 0 to 1: that of the most specific range
// which includes it.
func mediaWeight(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	weight, specificity := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		for i, pattern := range [...]string{"*/*", kind + "/*", media} {
			if name == pattern && i+1 > specificity {
				weight, specificity = q, i+1
			}
		}
	}
	return weight
}

// ErrNotAcceptable is the error of a list in a format that the client does not accept. Responder.Problem answers 406.
var ErrNotAcceptable = errors.New("no acceptable format")
