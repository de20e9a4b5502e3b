package rest

import (
	"net/http"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// License says under what others may use the city's data, and whom they name as their source. Each part may be empty.
type License struct {
	Name   string // as in CC-BY-4.0
	URL    string
	Source string // who measures and publishes
}

// Announce is the middleware of answers with data: it links the license (RFC 8288).
func (l License) Announce(next http.Handler) http.Handler {
	if l.URL == "" {
		return next
	}
	link := "<" + l.URL + `>; rel="license"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Link", link)
		next.ServeHTTP(w, r)
	})
}

// ParquetOptions returns the options of a Parquet file, with the license in its metadata.
func (l License) ParquetOptions() []parquet.WriterOption {
	out := []parquet.WriterOption{parquet.Compression(&parquet.Zstd)}
	for _, m := range [...][2]string{{"license", l.Name}, {"license_url", l.URL}, {"source", l.Source}} {
		if m[1] != "" {
			out = append(out, parquet.KeyValueMetadata(m[0], m[1]))
		}
	}
	return slices.Clip(out)
}
