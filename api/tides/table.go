package tides

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/cespare/xxhash/v2"
	"github.com/go-chi/chi/v5"
)

// The tables, and their formats.
const (
	tableLocations = "vehicle_locations"
	tableVisits    = "stop_visits"
	tableTrips     = "trips_performed"

	formatCSV     = "csv"
	formatParquet = "parquet"
)

// getTable answers GET /v1/tides/{date}/{table}.{format}.
func (h *Handler) getTable(w http.ResponseWriter, r *http.Request) error {
	q, err := h.query(r)
	if err != nil {
		return err
	}
	table, format := chi.URLParam(r, "table"), chi.URLParam(r, "format")
	if format != formatCSV && format != formatParquet {
		return nhip.Errorf(nhip.CodeInvalid, "format", "must be csv or parquet, got %q", format)
	}
	switch table {
	case tableLocations:
		return send(h, w, r, q, table, format, h.locations)
	case tableVisits:
		return send(h, w, r, q, table, format, h.visits)
	case tableTrips:
		return send(h, w, r, q, table, format, h.trips)
	}
	return nhip.Errorf(nhip.CodeInvalid, "table", "must be %s, %s or %s, got %q", tableLocations, tableVisits, tableTrips,
		table)
}

// send answers with the rows that read yields, or with 304 if the client has them already.
func send[T any, R row[T]](h *Handler, w http.ResponseWriter, r *http.Request, q *query, table, format string,
	read func(ctx context.Context, q *query, yield func(R) error) error,
) error {
	return h.withSlots(r, []rest.QuerySlots{h.Slots, h.Exports}, func() error {
		etag, err := h.etag(r.Context(), q, table, format)
		if err != nil {
			return h.historyError(r, false, err)
		}
		head := w.Header()
		head.Set("ETag", "W/"+etag)
		head.Set("Cache-Control", rest.Revalidate)
		head.Add("Link", `<datapackage.json`+q.parameters()+`>; rel="describedby"`)
		if rest.ETagMatches(r.Header.Get("If-None-Match"), etag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		out := newWriter[T, R](w, format, "tides-"+q.name()+"-"+table, h.License)
		err = read(r.Context(), q, out.add)
		if err == nil {
			err = out.end()
		}
		if out.failed {
			panic(http.ErrAbortHandler) // the client is gone or too slow
		}
		if err != nil {
			head.Del("ETag")
			return h.historyError(r, out.begun, err)
		}
		return nil
	})
}

// etag returns a tag of what a table is made from: rows are only added to the history, until the retention policy
// deletes them, and the timetable in use tells the scheduled times. It is weak, because the table may be compressed.
func (h *Handler) etag(ctx context.Context, q *query, table, format string) (string, error) {
	all := q.arrivals()
	arrivals, err := h.History.CountTravels(ctx, influx.ArrivalMeasurement, all)
	positions := 0
	if err == nil && table == tableLocations {
		positions, err = h.History.CountTravels(ctx, influx.PositionMeasurement, all)
	}
	timetable := ""
	if q.net != nil {
		first, last := q.net.Feed.Period()
		timetable = fmt.Sprint(len(q.net.Patterns), len(q.net.Feed.Trips), len(q.net.Feed.Stops), first, last)
	}
	of := fmt.Sprint(q.date, q.zone, table, format, strings.Join(q.agencies, "\n"), arrivals, positions, timetable,
		h.License)
	return fmt.Sprintf(`"%016x"`, xxhash.Sum64String(of)), err
}
