package tides_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/citytest"
	"nhip/api/rest"
	"nhip/api/tides"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/geo/gtfs"
	"nhip/internal/config"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"

	"github.com/go-chi/chi/v5"
)

// copies is how many times the recorded buses of Washington drive: 620 buses in all, for five hours.
const copies = 20

// BenchmarkTablesOfADay reads the tables of a date with 415,000 positions and 109,000 stop visits from a real database.
func BenchmarkTablesOfADay(b *testing.B) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		b.Skip("TESTDATA_DIR is not set: the recordings are missing")
	}
	feed, err := gtfs.ReadFile(filepath.Join(data, "gtfs-wmata-3routes/gtfs.zip"))
	if err != nil {
		b.Fatal(err)
	}
	set := app.LoadConfig(config.Sources{})
	positions, err := recorded.Positions(app.Feeds(&set.Config), []string{filepath.Join(data, "recordings/wmata.rec.gz")})
	if err != nil {
		b.Fatal(err)
	}
	c := citytest.New(b, feed, positions[0].Time)
	db := influxtest.Start(b)
	storeCopies(b, db, positions, arrivalsOf(c, positions))
	date := gtfs.DateOf(positions[0].Time.In(c.Network.Location()))
	c.Clock.Set(date.At(40*3600, c.Network.Location()))
	r := chi.NewRouter()
	(&tides.Handler{
		History: db, Live: c.Live, Transit: c.Transit, Clock: c.Clock, Slots: rest.NewQuerySlots(),
		Exports: rest.NewExportSlots(), Stations: catalog.New(c.Live, db, slog.New(slog.DiscardHandler)),
		Responder: c.Responder,
	}).Routes(r)
	for _, table := range allTables {
		for _, format := range []string{"csv", "parquet"} {
			b.Run(table+"."+format, func(b *testing.B) {
				for b.Loop() {
					w := &discarded{header: make(http.Header)}
					r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/tides/2026-02-16/"+table+"."+format, nil))
					if w.n < 1000 {
						b.Fatal("no table")
					}
					b.SetBytes(w.n)
				}
			})
		}
	}
}

// discarded counts the bytes of an answer.
type discarded struct {
	header http.Header
	n      int64
}

func (d *discarded) Header() http.Header { return d.header }

func (d *discarded) WriteHeader(int) {}

func (d *discarded) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return len(p), nil
}

// storeCopies writes the buses to the database several times, under other names.
func storeCopies(b *testing.B, db *influx.DB, positions []nhip.Position, arrivals []nhip.Arrival) {
	b.Helper()
	var lines []byte
	rows := 0
	flush := func(most int) {
		if rows < most {
			return
		}
		if err := db.Write(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
		lines, rows = lines[:0], 0
	}
	for n := range copies {
		for i := range positions {
			p := positions[i]
			p.Vehicle = fmt.Sprint(n, "-", p.Vehicle)
			lines, rows = influx.AppendPosition(lines, &p, p.Time), rows+1
			flush(5000)
		}
		for i := range arrivals {
			a := arrivals[i]
			a.Vehicle = fmt.Sprint(n, "-", a.Vehicle)
			lines, rows = influx.AppendArrival(lines, &a), rows+1
			flush(5000)
		}
	}
	flush(1)
}
