package faulttest

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
)

func data(t testing.TB, name ...string) string {
	t.Helper()
	root := os.Getenv("TESTDATA_DIR")
	if root == "" {
		t.Skip("TESTDATA_DIR is not set; no record of a network to put faults into")
	}
	return filepath.Join(append([]string{root, "air"}, name...)...)
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Aberdeen returns April 2019 of Aberdeen's low-cost network: 23 SDS011 (PM2.5, PM10) and the weather sensors in their
// boxes, each 150 s. It skips the test without the record or the program xz.
func Aberdeen(t testing.TB) *Network {
	t.Helper()
	path := data(t, "aberdeen-april-2019.tar.xz")
	if _, err := exec.LookPath("xz"); err != nil {
		t.Skip("no program xz to unpack the record of Aberdeen")
	}
	cmd := exec.CommandContext(t.Context(), "xz", "-dc", path)
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	n := new(Network)
	archive := tar.NewReader(pipe)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(h.Name, ".csv") {
			n.readSensor(t, archive)
		}
	}
	_, _ = io.Copy(io.Discard, pipe)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	n.sort()
	return n
}

// readSensor reads a day of one sensor of Sensor.Community's archive.
func (n *Network) readSensor(t testing.TB, from io.Reader) {
	t.Helper()
	r := csv.NewReader(from)
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]nhip.Quantity{
		"P1": nhip.PM10, "P2": nhip.PM25, "temperature": nhip.Temperature, "humidity": nhip.Humidity,
	}
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02T15:04:05", row[5])
		if err != nil {
			continue
		}
		lat, _ := strconv.ParseFloat(row[3], 64)
		lon, _ := strconv.ParseFloat(row[4], 64)
		m := n.monitor(Monitor{Name: row[0], LowCost: true, Lat: lat, Lon: lon})
		for i, name := range rows[0] {
			q, ok := columns[name]
			v, err := strconv.ParseFloat(row[i], 64)
			if ok && err == nil && !math.IsNaN(v) {
				n.add(m, q, 150*time.Second, at.UnixMilli(), v)
			}
		}
	}
}

// Beijing returns November 2016 to January 2017 of Beijing's twelve references: six quantities, each hour, in local
// time taken for UTC.
func Beijing(t testing.TB) *Network {
	t.Helper()
	n := new(Network)
	stations, err := csv.NewReader(open(t, data(t, "beijing_12site", "stations.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range stations[1:] {
		lon, _ := strconv.ParseFloat(row[1], 64)
		lat, _ := strconv.ParseFloat(row[2], 64)
		n.monitor(Monitor{Name: row[0], Lat: lat, Lon: lon})
	}
	rows, err := csv.NewReader(open(t, data(t, "beijing_12site", "beijing_12site_2016-11_2017-01.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]nhip.Quantity{
		"PM2.5": nhip.PM25, "PM10": nhip.PM10, "SO2": nhip.SO2, "NO2": nhip.NO2, "CO": nhip.CO, "O3": nhip.O3,
	}
	for _, row := range rows[1:] {
		var part [4]int
		for i := range part {
			part[i], _ = strconv.Atoi(row[1+i])
		}
		at := time.Date(part[0], time.Month(part[1]), part[2], part[3], 0, 0, 0, time.UTC).UnixMilli()
		m := n.monitor(Monitor{Name: row[0]})
		for i, name := range rows[0] {
			if q, ok := columns[name]; ok {
				if v, err := strconv.ParseFloat(row[i], 64); err == nil && !math.IsNaN(v) {
					n.add(m, q, time.Hour, at, v)
				}
			}
		}
	}
	n.sort()
	return n
}

// Recording returns one of the hourly networks of data/air/surface.
func Recording(t testing.TB, name string, lowCost bool) *Network {
	t.Helper()
	unpacked, err := gzip.NewReader(open(t, data(t, "surface", name+".rec.gz")))
	if err != nil {
		t.Fatal(err)
	}
	n := new(Network)
	lines := bufio.NewScanner(unpacked)
	for lines.Scan() {
		head, body, _ := strings.Cut(lines.Text(), " {")
		var r struct {
			Time     time.Time
			Lat, Lon float64
			Values   map[nhip.Quantity]float64
		}
		if err := json.Unmarshal([]byte("{"+body), &r); err != nil {
			t.Fatal(err)
		}
		m := n.monitor(Monitor{Name: head[strings.LastIndexByte(head, '/')+1:], LowCost: lowCost, Lat: r.Lat, Lon: r.Lon})
		for q, v := range r.Values {
			n.add(m, q, time.Hour, r.Time.UnixMilli(), v)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	n.sort()
	return n
}
