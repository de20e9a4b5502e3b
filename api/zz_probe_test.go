package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
)

func TestZZProbe(t *testing.T) {
	a := underSky(t, func(o *Options) { o.Zones = towns() })
	w := get(t, a, "/ogc/api", "Accept-Encoding", "gzip")
	fmt.Println("api", w.Code, w.Body.Len(), w.Header())
	w = get(t, a, "/ogc/collections/stations/items?limit=1")
	fmt.Println(w.Body.String())
	for _, p := range []string{"zones/items?datetime=2025-01-01T00:00:00Z/..", "zones/items/district:old", "stations/items?limit=99999999999", "zones"} {
		w = get(t, a, "/ogc/collections/"+p)
		fmt.Printf("%s %d %.300s\n", p, w.Code, w.Body)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Println("  ", r.URL, r.Header.Get("Accept")); a.server.Handler.ServeHTTP(w, r) }))
	defer s.Close()
	out, err := exec.Command("ogrinfo", "-ro", "-so", "-oo", "PAGE_SIZE=5", "OAPIF:"+s.URL+"/ogc", "stations").CombinedOutput()
	fmt.Println(string(out), err)
	out, err = exec.Command("ogrinfo", "-ro", "-al", "-q", "-geom=NO", "-oo", "PAGE_SIZE=5", "-spat", "105.852", "20", "110", "22", "OAPIF:"+s.URL+"/ogc", "stations").CombinedOutput()
	fmt.Println(strings.Count(string(out), "OGRFeature"), err)
	out, err = exec.Command("ogrinfo", "-ro", "-al", "-q", "-geom=NO", "OAPIF:"+s.URL+"/ogc", "stations").CombinedOutput()
	fmt.Println(strings.Count(string(out), "OGRFeature"), err)
}

func TestZZHanoi(t *testing.T) {
	f, err := gtfs.ReadFile(filepath.Join(os.Getenv("TESTDATA_DIR"), "gtfs-hanoi", "hanoi-derived-gtfs.zip"))
	if err != nil { t.Fatal(err) }
	n := network.New(f)
	a := newAPI(t, func(o *Options) { o.Timetable = n; o.Zones = towns() })
	for _, p := range []string{"stops/items?limit=10000", "stops/items?limit=100", "routes/items?limit=10000", "routes/items?limit=1"} {
		get(t, a, "/ogc/collections/"+p)
		at := time.Now()
		w := get(t, a, "/ogc/collections/"+p)
		var x struct{ NumberMatched int }
		d := time.Since(at)
		json.Unmarshal(w.Body.Bytes(), &x)
		fmt.Println(p, d, w.Body.Len(), x)
	}
}
