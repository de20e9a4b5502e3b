package api

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/quota"
	"nhip/api/tiles"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// addMonitors adds 100 monitors to the simulated city.
func addMonitors(b *testing.B, a *API) {
	b.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	end := a.o.Clock.Now().Truncate(time.Hour)
	for i := range 100 {
		s := livetest.Monitor(i, end, 10+150*r.Float64())
		s.ID = fmt.Sprintf("bench-%d", i)
		p := orb.Point{105.7 + 0.25*r.Float64(), 20.92 + 0.2*r.Float64()}
		s.Lon, s.Lat = nhip.Some(p[0]), nhip.Some(p[1])
		receive(b, a, topics.LiveAirTopic(s.ID), s)
	}
}

// BenchmarkColdTile requests random tiles of the city's centre that are not cached; the time includes compression.
func BenchmarkColdTile(b *testing.B) {
	a := startSimulated(b, fleetSize)
	addMonitors(b, a)
	r := rand.New(rand.NewPCG(3, 3))
	for _, kind := range []string{"air/%d/%d/%d.mvt", "air/%d/%d/%d.png", "air/%d/%d/%d@2x.png", "transit/%d/%d/%d.mvt"} {
		b.Run("kind="+kind[:strings.Index(kind, "/")]+kind[strings.LastIndex(kind, "d")+1:], func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				b.StopTimer()
				at := randomTile(r)
				*a.tiles = *tiles.NewCache()
				path := "/tiles/" + fmt.Sprintf(kind, at.Z, at.X, at.Y)
				a.air.Current()
				b.StartTimer()
				began := time.Now()
				getTile(b, a, path)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

func randomTile(r *rand.Rand) maptile.Tile {
	p := orb.Point{105.75 + 0.15*r.Float64(), 20.97 + 0.1*r.Float64()}
	return maptile.At(p, maptile.Zoom(9+r.IntN(7)))
}

func getTile(b *testing.B, a *API, path string) {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusNoContent {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
}

// The record load of the city's app, in views of the map, with twelve tiles each.
const (
	recordViews  = 16_000_000
	tilesPerView = 12
)

// BenchmarkMapViews requests tiles as views of the map do: per view twelve tiles of one place and zoom, of the air, the
// network and images. wrk runs on the same processors.
func BenchmarkMapViews(b *testing.B) {
	needWrk(b)
	a := startSimulated(b, fleetSize)
	addMonitors(b, a)
	script := filepath.Join(b.TempDir(), "views.lua")
	if err := os.WriteFile(script, []byte(viewsScript()), 0o600); err != nil {
		b.Fatal(err)
	}
	var rates []float64
	for b.Loop() {
		out, err := exec.Command("wrk", "--latency", "-H", "Accept-Encoding: gzip, deflate, br", "-s", script, "-t",
			strconv.Itoa(wrkThreads),
			"-c", strconv.Itoa(wrkConnections), "-d", fmt.Sprintf("%.0fs", wrkTurn.Seconds()), a.URL()).CombinedOutput()
		if err != nil {
			b.Fatalf("wrk: %v\n%s", err, out)
		}
		rate := wrkRate.FindSubmatch(out)
		if rate == nil || strings.Contains(string(out), "Socket errors") {
			b.Fatalf("%s", out)
		}
		v, err := strconv.ParseFloat(string(rate[1]), 64)
		if err != nil {
			b.Fatal(err)
		}
		rates = append(rates, v)
	}
	slices.Sort(rates)
	middle := rates[len(rates)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle, "tiles/s")
	b.ReportMetric(recordViews*tilesPerView/middle/3600, "hours-of-record")
}

// BenchmarkLimitedTile requests tiles of the cache, in turns with and without rates of requests. of-unlimited is the
// ratio of the two numbers of requests in a turn, without the network.
func BenchmarkLimitedTile(b *testing.B) {
	const turn, paths = 200 * time.Millisecond, 64
	var apis []*API
	var tiles []string
	for _, l := range []quota.Limits{{}, {Client: 1e9, Key: 1e9, Spare: 1e9}} {
		a := startSimulated(b, 50, func(o *Options) { o.Rates = l })
		apis = append(apis, a)
	}
	r := rand.New(rand.NewPCG(6, 6))
	for range paths {
		at := randomTile(r)
		tiles = append(tiles, fmt.Sprintf("/tiles/transit/%d/%d/%d.mvt", at.Z, at.X, at.Y))
	}
	var served [2]int
	run := func(i int) {
		for began := time.Now(); time.Since(began) < turn; served[i]++ {
			getTile(b, apis[i], tiles[served[i]%len(tiles)])
		}
	}
	for i := range apis {
		run(i)
	}
	served = [2]int{}
	for b.Loop() {
		run(0)
		run(1)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(served[1])/float64(served[0]), "of-unlimited")
}

// viewsScript returns a wrk script that requests the tiles of 200 views in turn.
func viewsScript() string {
	r := rand.New(rand.NewPCG(4, 4))
	var paths []string
	for range 200 {
		at := randomTile(r)
		for k := range tilesPerView {
			x, y := at.X+uint32(k%2), at.Y+uint32(k/2%2)
			paths = append(paths, fmt.Sprintf([]string{
				"/tiles/air/%d/%d/%d.mvt", "/tiles/transit/%d/%d/%d.mvt", "/tiles/air/%d/%d/%d.png",
			}[k/4], at.Z, x, y))
		}
	}
	return "local paths = {\"" + strings.Join(paths, "\",\"") + "\"}\nlocal n = 0\n" +
		"function request() n = n % #paths + 1 return wrk.format('GET', paths[n]) end\n"
}
